// SPDX-License-Identifier: BSD-3-Clause
// The library that `needs_library` names; tests start the program where this is not to be found.
int from_absent_library(void) { return 0; }
