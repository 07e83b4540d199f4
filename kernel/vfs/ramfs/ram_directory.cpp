// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/ramfs/ram_directory.hpp"

#include <new>
#include <optional>

#include "smp/debug/race_point.hpp"
#include "vfs/directory_file.hpp"

namespace tutti::vfs {

RamDirectory::~RamDirectory() {
    // Nobody else is left: a tree that dies as a whole (a failed boot step, a test).
    while (Entry* const entry = names_.first()) {
        names_.remove(*entry);
        positions_.remove(*entry);
        delete entry;
    }
}

Result<Ref<File>> RamDirectory::open(OpenFlags flags, String path) {
    return open_directory(*this, flags, std::move(path));
}

Result<RamDirectory::Entry*> RamDirectory::make_entry(std::string_view name, Ref<RamNode> node) {
    String copy = TRY(String::create(name));
    auto* const entry = new (std::nothrow) Entry;
    if (entry == nullptr) return fail(Error::NoMemory);
    entry->name = std::move(copy);
    entry->node = std::move(node);
    return entry;
}

RamDirectory::Entry* RamDirectory::find(std::string_view name) const {
    Entry* const entry = names_.lower_bound([&](Entry const& e) { return e.name.view() < name; });
    return entry != nullptr && entry->name.view() == name ? entry : nullptr;
}

void RamDirectory::insert(Entry& entry) {
    entry.position = next_position_++;
    names_.insert(entry);
    positions_.insert(entry);
}

void RamDirectory::remove(Entry& entry) {
    names_.remove(entry);
    positions_.remove(entry);
}

void RamDirectory::set_parent(RamDirectory* parent) {
    smp::SpinGuard guard{parent_lock_};
    parent_ = parent;
}

void RamDirectory::set_parent_of(RamNode& node, RamDirectory* parent) {
    if (node.is_directory()) static_cast<RamDirectory&>(node).set_parent(parent);
}

Result<Ref<Inode>> RamDirectory::parent() {
    smp::SpinGuard guard{parent_lock_};
    if (parent_ == nullptr) return fail(Error::NotFound);
    return Ref<Inode>{*parent_};
}

bool RamDirectory::is_within(RamDirectory const& ancestor) {
    Ref<RamDirectory> at{*this};
    while (at.get() != &ancestor) {
        Ref<RamDirectory> above;
        {
            smp::SpinGuard guard{at->parent_lock_};
            if (at->parent_ == nullptr || at->parent_ == at.get()) return false;
            above = Ref<RamDirectory>{*at->parent_};
        }
        at = std::move(above);
        smp::race_point();
    }
    return true;
}

Result<Ref<Inode>> RamDirectory::lookup(std::string_view name) {
    smp::SpinGuard guard{lock_};
    Entry const* const entry = find(name);
    if (entry == nullptr) return fail(Error::NotFound);
    return Ref<Inode>{entry->node};
}

Result<Ref<Inode>> RamDirectory::add(std::string_view name, Ref<RamNode> node) {
    Entry* const entry = TRY(make_entry(name, node));
    std::optional<Error> error;
    node->add_link();  // before others can find it
    {
        smp::SpinGuard guard{lock_};
        if (removed_)
            error = Error::NotFound;
        else if (find(name) != nullptr)
            error = Error::Exists;
        else
            insert(*entry);
    }
    if (error) {
        node->drop_link();
        delete entry;
        return fail(*error);
    }
    touch_modify();
    return Ref<Inode>{std::move(node)};
}

Result<Ref<Inode>> RamDirectory::create(std::string_view name, CreateRequest const& request) {
    Ref<RamNode> node = TRY(make_ram_node(filesystem(), request));
    if (!node->is_directory()) return add(name, std::move(node));
    auto& child = static_cast<RamDirectory&>(*node);
    child.set_parent(this);
    Result<Ref<Inode>> const added = add(name, std::move(node));
    if (added)
        add_link();  // the child's ".."
    return added;
}

Result<> RamDirectory::link(std::string_view name, Inode& target) {
    auto* const node = dynamic_ram_node(target, filesystem());
    if (node == nullptr) return fail(Error::CrossDevice);
    TRY(add(name, Ref<RamNode>{*node}));
    node->touch_change();
    return {};
}

bool RamDirectory::mark_removed_if_empty() {
    smp::SpinGuard guard{lock_, smp::SameRank::ParentBeforeChild};
    if (!names_.empty()) return false;
    removed_ = true;
    return true;
}

Result<> RamDirectory::unlink(std::string_view name, UnlinkKind kind) {
    Entry* entry = nullptr;
    {
        smp::SpinGuard guard{lock_};
        entry = find(name);
        if (entry == nullptr) return fail(Error::NotFound);
        bool const is_directory = entry->node->is_directory();
        if (kind == UnlinkKind::Directory) {
            if (!is_directory) return fail(Error::NotDirectory);
            if (entry->node->mounted_here() != nullptr) return fail(Error::Busy);
            if (!static_cast<RamDirectory&>(*entry->node).mark_removed_if_empty()) return fail(Error::DirectoryNotEmpty);
        } else if (is_directory) {
            return fail(Error::IsDirectory);
        }
        remove(*entry);
        set_parent_of(*entry->node, nullptr);
    }
    if (entry->node->is_directory()) {
        entry->node->drop_link();  // its own "."
        drop_link();               // its ".."
    }
    entry->node->drop_link();
    entry->node->touch_change();
    delete entry;
    touch_modify();
    return {};
}

// What a rename needs while it holds both directories' locks, and what it leaves to be freed afterwards.
struct RamDirectory::Renaming {
    RamDirectory& from;
    RamDirectory& to;
    std::string_view old_name;
    std::string_view new_name;
    RenameMode mode;
    Entry* fresh = nullptr;     // in: an entry called new_name; null when used
    Entry* displaced = nullptr; // out: what was at the new name, or the moved entry of the old name, to be deleted
    Ref<RamNode> replaced;      // out: the inode that lost its name
    Ref<RamNode> moved;         // out
    Ref<RamNode> exchanged;     // out
};

Result<> RamDirectory::rename_locked(Renaming& work) {
    Entry* const source = work.from.find(work.old_name);
    if (source == nullptr) return fail(Error::NotFound);
    if (work.to.removed_) return fail(Error::NotFound);
    Entry* const target = work.to.find(work.new_name);
    bool const moves_directory = source->node->is_directory();
    // A directory may not move below itself.
    if (moves_directory && work.to.is_within(static_cast<RamDirectory&>(*source->node)))
        return fail(Error::InvalidArgument);

    if (work.mode == RenameMode::Exchange) {
        if (target == nullptr) return fail(Error::NotFound);
        if (target->node->mounted_here() != nullptr) return fail(Error::Busy);
        if (target->node->is_directory() && work.from.is_within(static_cast<RamDirectory&>(*target->node)))
            return fail(Error::InvalidArgument);
        std::swap(source->node, target->node);
        work.moved = target->node;
        work.exchanged = source->node;
        set_parent_of(*work.moved, &work.to);
        set_parent_of(*work.exchanged, &work.from);
        return {};
    }
    if (target != nullptr) {
        if (work.mode == RenameMode::NoReplace) return fail(Error::Exists);
        if (target->node == source->node) return {};  // two names of one file: nothing to do
        if (moves_directory && !target->node->is_directory()) return fail(Error::NotDirectory);
        if (!moves_directory && target->node->is_directory()) return fail(Error::IsDirectory);
        if (moves_directory) {
            if (work.from.is_within(static_cast<RamDirectory&>(*target->node))) return fail(Error::DirectoryNotEmpty);
            if (target->node->mounted_here() != nullptr) return fail(Error::Busy);
            if (!static_cast<RamDirectory&>(*target->node).mark_removed_if_empty())
                return fail(Error::DirectoryNotEmpty);
        }
        work.replaced = std::exchange(target->node, source->node);
        work.moved = target->node;
        set_parent_of(*work.replaced, nullptr);
    } else {
        work.fresh->node = source->node;
        work.to.insert(*work.fresh);
        work.fresh = nullptr;
        work.moved = source->node;
    }
    set_parent_of(*work.moved, &work.to);
    work.from.remove(*source);
    work.displaced = source;
    return {};
}

Result<> RamDirectory::rename(std::string_view old_name, Inode& new_directory, std::string_view new_name,
                              RenameMode mode) {
    auto* const target_node = dynamic_ram_node(new_directory, filesystem());
    if (target_node == nullptr) return fail(Error::CrossDevice);
    if (!target_node->is_directory()) return fail(Error::NotDirectory);
    auto& to = static_cast<RamDirectory&>(*target_node);
    Renaming work{.from = *this, .to = to, .old_name = old_name, .new_name = new_name, .mode = mode,
                  .fresh = TRY(make_entry(new_name, nullptr)), .replaced = {}, .moved = {}, .exchanged = {}};

    Result<> outcome;
    {
        sched::MutexGuard topology{filesystem().rename_mutex};
        if (&to == this) {
            smp::SpinGuard guard{lock_};
            outcome = rename_locked(work);
        } else {
            bool const we_first = to.is_within(*this) || (!is_within(to) && this < &to);
            RamDirectory& first = we_first ? *this : to;
            RamDirectory& second = we_first ? to : *this;
            smp::SpinGuard first_guard{first.lock_};
            smp::SpinGuard second_guard{second.lock_, smp::SameRank::ParentBeforeChild};
            outcome = rename_locked(work);
        }
        if (outcome && &to != this) {
            smp::race_point();
            // Links of "..".
            if (work.moved && work.moved->is_directory()) {
                drop_link();
                to.add_link();
            }
            if (work.exchanged && work.exchanged->is_directory()) {
                to.drop_link();
                add_link();
            }
        }
    }
    delete work.fresh;
    delete work.displaced;
    TRY(outcome);
    if (work.replaced) {
        if (work.replaced->is_directory()) {
            work.replaced->drop_link();
            to.drop_link();
        }
        work.replaced->drop_link();
        work.replaced->touch_change();
    }
    if (work.moved) {
        work.moved->touch_change();
        touch_modify();
        to.touch_modify();
    }
    return {};
}

u64 RamDirectory::list_end() {
    smp::SpinGuard guard{lock_};
    return next_position_;
}

Result<> RamDirectory::list(u64 position, DirectorySink& sink) {
    smp::SpinGuard guard{lock_};
    Entry* entry = positions_.lower_bound([&](Entry const& e) { return e.position < position; });
    for (; entry != nullptr; entry = positions_.next(*entry)) {
        DirectoryEntry const out{.name = entry->name.view(),
                                 .inode = entry->node->number(),
                                 .type = entry->node->type(),
                                 .next = entry->position + 1};
        if (!sink.add(out)) break;
    }
    return {};
}

Result<> RamDirectory::name_of(Inode const& child, String& name) {
    // Copied out in two steps: a string must not grow under a spin lock of this rank for long, and names are short.
    char buffer[256];
    size_t size = 0;
    {
        smp::SpinGuard guard{lock_};
        Entry* entry = names_.first();
        while (entry != nullptr && entry->node.get() != &child) entry = names_.next(*entry);
        if (entry == nullptr) return fail(Error::NotFound);
        size = std::min(entry->name.size(), sizeof buffer);
        __builtin_memcpy(buffer, entry->name.view().data(), size);
    }
    return name.append({buffer, size});
}

void RamDirectory::add_size(Attributes& attributes) {
    smp::SpinGuard guard{lock_};
    attributes.size = (names_.size() + 2) * 20;  // as tmpfs counts
}

}  // namespace tutti::vfs
