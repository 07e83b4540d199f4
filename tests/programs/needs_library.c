// SPDX-License-Identifier: BSD-3-Clause
// Needs libabsent.so, which lies beside it in the build folder and nowhere else.
int from_absent_library(void);
int main(void) { return from_absent_library(); }
