// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/process_directory.hpp"

#include <new>

#include "vfs/namespace.hpp"
#include "vfs/procfs/descriptor_directory.hpp"
#include "vfs/procfs/process_text.hpp"

namespace tutti::vfs {

namespace {

using Generator = Result<> (*)(ProcessEntry const&, String&);
using Setter = Result<> (*)(ProcessEntry const&, std::string_view);

template <u64 Value>
Result<> generate_constant(ProcessEntry const&, String& text) {
    return generate_number(Value, text);
}

Result<> generate_oom_adjustment(ProcessEntry const& entry, String& text) {
    return text.append_format("{}\n", TRY(entry.source.process(entry.process)).oom_score_adjustment);
}
Result<> set_oom_adjustment(ProcessEntry const& entry, std::string_view text) {
    i64 const value = TRY(parse_number(text));
    if (value < -1000 || value > 1000) return fail(Error::InvalidArgument);
    return entry.source.set_oom_score_adjustment(entry.process, static_cast<i32>(value));
}
Result<> set_comm(ProcessEntry const& entry, std::string_view text) {
    return entry.source.set_thread_name(entry.process, entry.thread, text);
}
Result<> generate_cgroup(ProcessEntry const&, String& text) { return text.append("0::/\n"); }
Result<> generate_personality(ProcessEntry const&, String& text) { return text.append("00000000\n"); }
Result<> generate_wait_channel(ProcessEntry const&, String& text) { return text.append('0'); }
Result<> generate_mounts(ProcessEntry const&, String& text) {
    return text.append("rootfs / rootfs rw 0 0\ndevtmpfs /dev devtmpfs rw,nosuid 0 0\nproc /proc proc rw 0 0\n"
                       "sysfs /sys sysfs rw 0 0\n");
}
Result<> generate_mount_information(ProcessEntry const&, String& text) {
    return text.append("20 1 0:1 / / rw - rootfs rootfs rw\n21 20 0:2 / /dev rw,nosuid - devtmpfs devtmpfs rw\n"
                       "22 20 0:3 / /proc rw - proc proc rw\n23 20 0:4 / /sys rw - sysfs sysfs rw\n");
}

enum class Where : u8 { Both, ProcessOnly };

struct Text {
    std::string_view name;
    Generator generate;
    u32 permissions = 0444;
    Setter set = nullptr;
    Where where = Where::Both;
};
constexpr Text kTexts[] = {
    {"stat", generate_stat},
    {"statm", generate_statm},
    {"status", generate_status},
    {"limits", generate_limits},
    {"maps", generate_maps},
    {"smaps", generate_smaps},
    {"smaps_rollup", generate_smaps_rollup},
    {"comm", generate_comm, 0644, set_comm},
    {"cmdline", generate_command_line},
    {"environ", generate_environment, 0400},
    {"auxv", generate_auxiliary_vector, 0400},
    {"cgroup", generate_cgroup},
    {"mounts", generate_mounts},
    {"mountinfo", generate_mount_information},
    {"oom_score", generate_constant<0>},
    {"oom_score_adj", generate_oom_adjustment, 0644, set_oom_adjustment},
    {"loginuid", generate_constant<0xffff'ffff>},
    {"sessionid", generate_constant<0xffff'ffff>},
    {"personality", generate_personality, 0400},
    {"wchan", generate_wait_channel},
};

class ProcessText final : public GeneratedText {
  public:
    ProcessText(GeneratedFilesystem const& filesystem, Ref<Inode> directory, Text const& text,
                ProcessEntry const& entry)
        : GeneratedText{filesystem, text.permissions, std::move(directory), text.name}, text_{text}, entry_{entry} {}
    Result<> generate(String& text) override { return text_.generate(entry_, text); }
    Result<> set(std::string_view text) override {
        return text_.set != nullptr ? text_.set(entry_, text) : fail(Error::NotPermitted);
    }

  private:
    Text const& text_;
    ProcessEntry const entry_;
};

// cwd, root, exe: links that lead to the object itself, whatever its path has become.
class ProcessLink final : public GeneratedNode {
  public:
    ProcessLink(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name,
                ProcessEntry const& entry)
        : GeneratedNode{filesystem, FileType::Symlink, 0777, std::move(directory), name}, entry_{entry} {}

    Result<Ref<File>> open(OpenFlags, String) override { return fail(Error::TooManySymlinks); }
    Result<> read_link(String& target) override {
        if (name() == "exe") return entry_.source.executable(entry_.process, target);
        return root_namespace().path_of(*TRY(follow_magic_link()), target);
    }
    Result<Ref<Inode>> follow_magic_link() override {
        if (name() == "root") return Ref<Inode>{root_namespace().root()};
        if (name() == "cwd") return entry_.source.working_directory(entry_.process);
        String path;
        TRY(entry_.source.executable(entry_.process, path));
        return root_namespace().resolve(root_namespace().root(), path.view());
    }

  private:
    ProcessEntry const entry_;
};

constexpr std::string_view kLinks[] = {"cwd", "root", "exe"};
constexpr std::string_view kDescriptors = "fd", kDescriptorInformation = "fdinfo", kTasks = "task";
constexpr std::string_view kDirectories[] = {kDescriptors, kDescriptorInformation, kTasks};

template <class T, class... Args>
Result<Ref<Inode>> make_node(Args&&... args) {
    auto* const node = new (std::nothrow) T{std::forward<Args>(args)...};
    if (node == nullptr) return fail(Error::NoMemory);
    return Ref<Inode>::adopt(node);
}

class ProcessDirectory;

class TaskList final : public GeneratedDirectory {
  public:
    TaskList(GeneratedFilesystem const& filesystem, Ref<Inode> directory, ProcessEntry const& entry)
        : GeneratedDirectory{filesystem, std::move(directory), kTasks}, entry_{entry} {}
    Result<Ref<Inode>> lookup(std::string_view name) override;
    Result<> list(u64 position, DirectorySink& sink) override {
        return list_numbers(*this, 2, position, FileType::Directory, sink,
                            [&](i32 from) { return entry_.source.next_thread(entry_.process, from); });
    }

  private:
    ProcessEntry const entry_;
};

class ProcessDirectory final : public GeneratedDirectory {
  public:
    ProcessDirectory(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name,
                     ProcessEntry const& entry)
        : GeneratedDirectory{filesystem, std::move(directory), name}, entry_{entry} {}

    Result<Ref<Inode>> lookup(std::string_view name) override {
        Ref<Inode> self{*this};
        for (Text const& text : kTexts)
            if (text.name == name) return make_node<ProcessText>(filesystem(), std::move(self), text, entry_);
        for (std::string_view const link : kLinks)
            if (link == name) return make_node<ProcessLink>(filesystem(), std::move(self), link, entry_);
        if (name == kDescriptors)
            return make_descriptor_directory(*this, name, entry_.source, entry_.process, DescriptorView::Files);
        if (name == kDescriptorInformation)
            return make_descriptor_directory(*this, name, entry_.source, entry_.process, DescriptorView::Information);
        if (name == kTasks && !entry_.is_task) return make_node<TaskList>(filesystem(), std::move(self), entry_);
        return fail(Error::NotFound);
    }

    Result<> list(u64 position, DirectorySink& sink) override {
        u64 at = 2;
        bool has_room = true;
        auto const add = [&](std::string_view name, FileType type) {
            if (at++ < position || !has_room) return;
            has_room = sink.add({.name = name, .inode = number_of(number(), name), .type = type, .next = at});
        };
        for (std::string_view const name : kDirectories)
            if (name != kTasks || !entry_.is_task) add(name, FileType::Directory);
        for (std::string_view const name : kLinks) add(name, FileType::Symlink);
        for (Text const& text : kTexts) add(text.name, FileType::Regular);
        return {};
    }

  private:
    ProcessEntry const entry_;
};

Result<Ref<Inode>> TaskList::lookup(std::string_view name) {
    i32 const thread = TRY(parse_entry_number(name));
    if (!entry_.source.thread(entry_.process, thread)) return fail(Error::NotFound);
    return make_node<ProcessDirectory>(filesystem(), Ref<Inode>{*this}, name,
                                       ProcessEntry{entry_.source, entry_.process, thread, true});
}

}  // namespace

Result<i32> parse_entry_number(std::string_view name) {
    if (name.empty() || name.size() > 9 || (name.size() > 1 && name.front() == '0')) return fail(Error::NotFound);
    i32 number = 0;
    for (char const c : name) {
        if (c < '0' || c > '9') return fail(Error::NotFound);
        number = number * 10 + (c - '0');
    }
    return number;
}

Result<Ref<Inode>> make_process_directory(GeneratedDirectory& parent, ProcessSource& source, i32 process) {
    if (!source.process(process)) return fail(Error::NotFound);
    char buffer[16];
    return make_node<ProcessDirectory>(parent.filesystem(), Ref<Inode>{parent}, format_to(buffer, "{}", process),
                                       ProcessEntry{source, process, process, false});
}

}  // namespace tutti::vfs
