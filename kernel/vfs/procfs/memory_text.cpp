// SPDX-License-Identifier: BSD-3-Clause
// maps, smaps and statm: what lies where in a process's memory.
#include "vfs/procfs/process_text.hpp"
#include "vm/backing.hpp"

namespace tutti::vfs {

namespace {

constexpr u64 kKilobytesPerPage = kPageSize / 1024;

// st_dev numbers of filesystems are minor numbers of the anonymous major 0.
constexpr u64 major_of(u64 device) { return device >> 20; }
constexpr u64 minor_of(u64 device) { return device & 0xfffff; }

std::string_view kind_name(vm::AreaKind kind) {
    switch (kind) {
        case vm::AreaKind::Heap: return "[heap]";
        case vm::AreaKind::Stack: return "[stack]";
        case vm::AreaKind::Vdso: return "[vdso]";
        case vm::AreaKind::Vvar: return "[vvar]";
        case vm::AreaKind::Ordinary: break;
    }
    return {};
}

Result<> append_sizes(String& text, u64 size_pages, u64 resident, u64 shared, u64 anonymous) {
    struct Line {
        std::string_view name;
        u64 pages;
    };
    // A process alone in its machine maps each of its pages once: proportional size is resident size.
    Line const lines[] = {
        {"Size:", size_pages},         {"KernelPageSize:", 1},     {"MMUPageSize:", 1},
        {"Rss:", resident},            {"Pss:", resident},         {"Shared_Clean:", 0},
        {"Shared_Dirty:", 0},          {"Private_Clean:", shared}, {"Private_Dirty:", resident - shared},
        {"Referenced:", resident},     {"Anonymous:", anonymous},  {"LazyFree:", 0},
        {"AnonHugePages:", 0},         {"ShmemPmdMapped:", 0},     {"FilePmdMapped:", 0},
        {"Shared_Hugetlb:", 0},        {"Private_Hugetlb:", 0},    {"Swap:", 0},
        {"SwapPss:", 0},               {"Locked:", 0},
    };
    for (Line const& line : lines)
        TRY(text.append_format("{:16}{:8} kB\n", line.name, line.pages * kKilobytesPerPage));
    return {};
}

}  // namespace

Result<> append_area(String& text, vm::AreaInfo const& area) {
    constexpr size_t kNameColumn = 73;
    vm::BackingDescription backing;
    if (area.backing) area.backing->describe(backing);
    std::string_view name = kind_name(area.kind);
    if (name.empty()) name = backing.path.view();
    // The kernel's own pages in a program are private to it by what Linux says, although all programs share them here.
    bool const is_kernels = area.kind == vm::AreaKind::Vdso || area.kind == vm::AreaKind::Vvar;
    size_t const begin = text.size();
    TRY(text.append_format("{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {} ", area.start.value(), area.end.value(),
                           area.protection.read ? 'r' : '-', area.protection.write ? 'w' : '-',
                           area.protection.execute ? 'x' : '-', area.shared && !is_kernels ? 's' : 'p',
                           area.backing && !is_kernels ? area.offset : u64{0}, major_of(backing.device), minor_of(backing.device),
                           backing.inode));
    if (!name.empty()) {
        while (text.size() - begin < kNameColumn) TRY(text.append(' '));
        for (char const c : name) TRY(c == '\n' ? text.append("\\012") : text.append(c));
    }
    return text.append('\n');
}

Result<MemoryUse> memory_use(vm::AddressSpace& space) {
    MemoryUse use;
    for (vm::AreaInfo const& area : TRY(space.areas())) {
        u64 const pages = (area.end - area.start) / kPageSize;
        u64 const resident = space.mapped_pages(area.start, area.end);
        use.virtual_pages += pages;
        if (area.kind == vm::AreaKind::Stack) use.stack_pages += pages;
        if (area.protection.execute) use.executable_pages += pages;
        if (area.protection.write && !area.shared) use.data_pages += pages;
        if (area.shared)
            use.resident_shared += resident;
        else if (area.backing && !area.protection.write)
            use.resident_file += resident;
        else
            use.resident_anonymous += resident;
    }
    return use;
}

Result<> generate_maps(ProcessEntry const& entry, String& text) {
    ProcessState const state = TRY(entry.source.process(entry.process));
    for (vm::AreaInfo const& area : TRY(state.space->areas())) TRY(append_area(text, area));
    return {};
}

Result<> generate_smaps(ProcessEntry const& entry, String& text) {
    ProcessState const state = TRY(entry.source.process(entry.process));
    for (vm::AreaInfo const& area : TRY(state.space->areas())) {
        u64 const resident = state.space->mapped_pages(area.start, area.end);
        bool const is_file = area.backing && !area.protection.write;
        TRY(append_area(text, area));
        TRY(append_sizes(text, (area.end - area.start) / kPageSize, resident, is_file ? resident : 0,
                         area.backing ? 0 : resident));
        TRY(text.append_format("THPeligible:           0\nVmFlags: {}{}{}{}mr mw me \n",
                               area.protection.read ? "rd " : "", area.protection.write ? "wr " : "",
                               area.protection.execute ? "ex " : "", area.shared ? "sh " : ""));
    }
    return {};
}

Result<> generate_smaps_rollup(ProcessEntry const& entry, String& text) {
    ProcessState const state = TRY(entry.source.process(entry.process));
    Vector<vm::AreaInfo> const areas = TRY(state.space->areas());
    if (areas.empty()) return {};
    MemoryUse const use = TRY(memory_use(*state.space));
    vm::AreaInfo whole{};
    whole.start = areas[0].start;
    whole.end = areas[areas.size() - 1].end;
    size_t const begin = text.size();
    TRY(text.append_format("{:08x}-{:08x} ---p 00000000 00:00 0 ", whole.start.value(), whole.end.value()));
    while (text.size() - begin < 73) TRY(text.append(' '));
    TRY(text.append("[rollup]\n"));
    String sizes;
    TRY(append_sizes(sizes, 0, use.resident(), use.resident_file, use.resident_anonymous));
    return text.append(sizes.view().substr(sizes.view().find("Rss:")));
}

Result<> generate_statm(ProcessEntry const& entry, String& text) {
    ProcessState const state = TRY(entry.source.process(entry.process));
    MemoryUse const use = TRY(memory_use(*state.space));
    return text.append_format("{} {} {} {} 0 {} 0\n", use.virtual_pages, use.resident(),
                              use.resident_file + use.resident_shared, use.executable_pages,
                              use.data_pages + use.stack_pages);
}

}  // namespace tutti::vfs
