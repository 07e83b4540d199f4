// SPDX-License-Identifier: BSD-3-Clause
// A virtual function of a class that derives from what the handler knows.
// EXPECT may-block: handler -> Disk::finished -> sleep_a_while
#include "machine.hpp"

struct Device {
    virtual void finished(int) = 0;
    virtual void removed() = 0;
};
struct Disk final : Device {
    ISR_SAFE void finished(int value) override;
    void removed() override { sleep_a_while(); }
};
struct File {  // the same place in its table, and no business of the handler's
    virtual void read(int) { sleep_a_while(); }
    virtual void close() { unmarked(); }
};
void Disk::finished(int value) {
#if FAULT
    if (value == 3) sleep_a_while();
#endif
    something = value;
}
Device* device = nullptr;
File* file = nullptr;
Disk disk;
File any_file;
ISR_SAFE void handler() {
    device->finished(something);
    harmless();
}
void thread_main() {
    device = &disk;
    file = &any_file;
    device->removed();
    file->read(1);
}
