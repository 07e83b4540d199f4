// SPDX-License-Identifier: BSD-3-Clause
// Directories that are moved on one CPU and removed on another.
#include "harness/test.hpp"
#include "smp/debug/race_point.hpp"
#include "vfs/ramfs/ram_node.hpp"

namespace tutti::vfs {
namespace {

Ref<Inode> make_directory(Inode& in, std::string_view name) {
    return in.create(name, {.type = FileType::Directory, .permissions = 0755}).value_or(Ref<Inode>{});
}

}  // namespace

TEST_ALL_CPUS(ram_directory, removal_after_a_move_forgets_the_parent, .min_cpus = 2) {
    static Ref<Inode> root, from, to, moved;
    if (cpu.value() == 0) {
        root = *make_ram_filesystem(0755);
        from = make_directory(*root, "from");
        to = make_directory(*root, "to");
    }
    smp::RaceAmplifier const amplifier{3000};
    for (u32 round = 0; round < 10; ++round) {
        if (cpu.value() == 0) moved = make_directory(*from, "moved");
        harness::meet();
        if (cpu.value() == 0)
            EXPECT(from->rename("moved", *to, "moved", RenameMode::Replace).has_value());
        else if (cpu.value() == 1)
            while (!to->unlink("moved", UnlinkKind::Directory)) {}
        harness::meet();
        if (cpu.value() == 0) EXPECT(!moved->parent().has_value());
    }
    if (cpu.value() == 0)
        for (Ref<Inode>* inode : {&moved, &to, &from, &root}) inode->reset();
}

TEST_ALL_CPUS(ram_directory, move_below_a_directory_that_goes, .min_cpus = 2) {
    static Ref<Inode> root, from, deep;
    if (cpu.value() == 0) {
        root = *make_ram_filesystem(0755);
        from = make_directory(*root, "from");
    }
    smp::RaceAmplifier const amplifier{3000};
    for (u32 round = 0; round < 15; ++round) {
        if (cpu.value() == 0) deep = make_directory(*make_directory(*root, "outer"), "deep");
        harness::meet();
        if (cpu.value() == 0)
            EXPECT(!from->rename("absent", *deep, "absent", RenameMode::Replace).has_value());
        else if (cpu.value() == 1) {
            EXPECT((*root->lookup("outer"))->unlink("deep", UnlinkKind::Directory).has_value());
            EXPECT(root->unlink("outer", UnlinkKind::Directory).has_value());
        }
        harness::meet();
    }
    if (cpu.value() == 0)
        for (Ref<Inode>* inode : {&deep, &from, &root}) inode->reset();
}

}  // namespace tutti::vfs
