// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/cpio/cpio_loader.hpp"

#include "arch/memory_layout.hpp"
#include "base/bits.hpp"
#include "base/log.hpp"
#include "base/vector.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "vfs/cpio/cpio_reader.hpp"
#include "vfs/ramfs/ram_file.hpp"

namespace tutti::vfs {

namespace {

constexpr u32 kTypeShift = 12;
constexpr u32 kDefaultDirectoryMode = 0755;

// A file that has further names later in the archive.
struct HardLink {
    u32 inode = 0;
    Ref<Inode> file;
};

class Loader {
  public:
    Loader(Namespace& names, PhysRange range) : names_{names}, range_{range}, free_from_{range.base} {}

    Result<CpioSummary> run() {
        auto const* const bytes = arch::phys_to_virt<u8>(range_.base);
        CpioReader reader{{bytes, range_.size}};
        while (true) {
            std::optional<CpioEntry> const entry = TRY(reader.next());
            if (!entry) break;
            TRY(add(*entry));
            ++summary_.entries;
        }
        release_up_to(range_.end());
        return summary_;
    }

  private:
    // Everything from the last file kept in place up to `end` is unpacked: its whole frames are free.
    void release_up_to(PhysAddr end) {
        PhysAddr const begin{align_up(free_from_.value(), kPageSize)};
        PhysAddr const last{align_down(end.value(), kPageSize)};
        if (last > begin) mem::release_boot_memory({begin, last - begin});
        free_from_ = end;
    }

    Result<> make_directories(std::string_view path) {
        for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
            if (slash == 0) continue;
            std::string_view const directory = path.substr(0, slash);
            auto const made = names_.create(names_.root(), directory,
                                            {.type = FileType::Directory, .permissions = kDefaultDirectoryMode});
            if (!made && made.error() != Error::Exists) return fail(made.error());
        }
        return {};
    }

    Result<> add(CpioEntry const& entry) {
        std::string_view path = entry.name;
        while (path.starts_with("./")) path.remove_prefix(2);
        while (path.starts_with('/')) path.remove_prefix(1);
        if (path.empty() || path == ".") return {};
        TRY(make_directories(path));

        if (entry.link_count > 1 && static_cast<FileType>(entry.mode >> kTypeShift & 15) == FileType::Regular) {
            for (HardLink& link : links_) {
                if (link.inode != entry.inode) continue;
                TRY(names_.link(*link.file, names_.root(), path));
                if (!entry.data.empty()) TRY(fill(*link.file, entry));
                return {};
            }
        }
        Ref<Inode> const inode = TRY(make(path, entry));
        TRY(inode->change({.permissions = {},
                           .uid = entry.uid,
                           .gid = entry.gid,
                           .access_time = {},
                           .modify_time = Nanoseconds::from_s(entry.modify_time)}));
        if (inode->type() != FileType::Regular) return {};
        if (entry.link_count > 1) TRY(links_.try_push_back({entry.inode, inode}));
        return fill(*inode, entry);
    }

    Result<Ref<Inode>> make(std::string_view path, CpioEntry const& entry) {
        auto const type = static_cast<FileType>(entry.mode >> kTypeShift & 15);
        std::string_view target;
        if (type == FileType::Symlink)
            target = {reinterpret_cast<char const*>(entry.data.data()), entry.data.size()};
        CreateRequest const request{.type = type,
                                    .permissions = entry.mode & kPermissionMask,
                                    .device = {entry.device_major, entry.device_minor},
                                    .link_target = target};
        auto const made = names_.create(names_.root(), path, request);
        if (made) return made;
        if (made.error() != Error::Exists) return fail(made.error());
        // A directory that was made on the way, or a later entry of the same name: the later one counts.
        Ref<Inode> present = TRY(names_.resolve(names_.root(), path, LastLink::DoNotFollow));
        if (type == FileType::Directory && present->is_directory()) {
            TRY(present->change({.permissions = request.permissions, .uid = {}, .gid = {}, .access_time = {},
                                 .modify_time = {}}));
            return present;
        }
        TRY(names_.unlink(names_.root(), path, UnlinkKind::File));
        return names_.create(names_.root(), path, request);
    }

    Result<> fill(Inode& inode, CpioEntry const& entry) {
        auto& file = static_cast<RamFile&>(inode);
        PhysAddr const at = arch::virt_to_phys(entry.data.data());
        u64 const whole = align_down(u64{entry.data.size()}, kPageSize);
        if (at.is_page_aligned() && whole != 0) {
            release_up_to(at);
            mem::adopt_boot_frames({at, whole});
            free_from_ = at + whole;
            summary_.bytes_in_place += whole;
            summary_.bytes_copied += entry.data.size() - whole;
        } else {
            summary_.bytes_copied += entry.data.size();
        }
        return file.pages().adopt(at.value(), entry.data.size());
    }

    Namespace& names_;
    PhysRange const range_;
    PhysAddr free_from_;
    Vector<HardLink> links_;
    CpioSummary summary_;
};

}  // namespace

Result<CpioSummary> load_cpio(Namespace& names, PhysRange range) { return Loader{names, range}.run(); }

}  // namespace tutti::vfs
