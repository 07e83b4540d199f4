// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/generated/generated_node.hpp"

#include <new>

#include "vfs/directory_file.hpp"
#include "vfs/file.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::vfs {

namespace {

constexpr size_t kMostWritten = 4096;

class TextFile final : public File {
  public:
    TextFile(OpenFlags flags, GeneratedText& node, String path)
        : File{flags, Ref<Inode>{node}, std::move(path)}, node_{node} {}

  protected:
    [[nodiscard]] Positioning positioning() const override { return Positioning::Seekable; }

    Result<u64> do_read(u64 offset, vm::IoBuffer& to) override {
        sched::MutexGuard guard{text_mutex_};
        if (offset == 0 || !is_made_) {
            is_made_ = false;
            text_.clear();
            TRY(node_.generate(text_));
            is_made_ = true;
        }
        if (offset >= text_.size()) return u64{0};
        return to.write_to(text_.view().data() + offset, text_.size() - offset);
    }

    Result<u64> do_write(u64&, vm::IoBuffer& from) override {
        if (from.remaining() > kMostWritten) return fail(Error::InvalidArgument);
        String text;
        TRY(text.resize(from.remaining()));
        u64 const count = TRY(from.read_from(text.span().data(), text.size()));
        std::string_view value = text.view().substr(0, count);
        while (!value.empty() && (value.back() == '\n' || value.back() == '\0')) value.remove_suffix(1);
        TRY(node_.set(value));
        return count;
    }

  private:
    GeneratedText& node_;  // kept by inode()
    sched::Mutex text_mutex_{"generated file text"};
    String text_ GUARDED_BY(text_mutex_);
    bool is_made_ GUARDED_BY(text_mutex_) = false;
};

// A text of a fixed tree.
class FixedText final : public GeneratedText {
  public:
    FixedText(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name,
              TextEntry const& entry)
        : GeneratedText{filesystem, entry.permissions, std::move(directory), name}, entry_{entry} {}
    Result<> generate(String& text) override { return entry_.generate(entry_.argument, text); }
    Result<> set(std::string_view text) override {
        return entry_.set != nullptr ? entry_.set(entry_.argument, text) : fail(Error::NotPermitted);
    }

  private:
    TextEntry const entry_;
};

struct SplitPath {
    std::string_view directory;
    std::string_view name;
};
SplitPath split(std::string_view path) {
    size_t const slash = path.rfind('/');
    if (slash == std::string_view::npos) return {{}, path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

template <class T, class... Args>
Result<> add_node(GeneratedDirectory& directory, Args&&... args) {
    auto* const node = new (std::nothrow) T{directory.filesystem(), Ref<Inode>{directory}, std::forward<Args>(args)...};
    if (node == nullptr) return fail(Error::NoMemory);
    return directory.add(Ref<GeneratedNode>::adopt(node));
}

}  // namespace

// FNV-1a over the name, begun with the directory's number.
u64 GeneratedNode::number_of(u64 directory, std::string_view name) {
    u64 hash = 0xcbf2'9ce4'8422'2325 ^ directory;
    for (char const c : name) hash = (hash ^ static_cast<u8>(c)) * 0x100'0000'01b3;
    return (hash >> 16) | 1;  // 48 bits, as some programs print them; never 0
}

GeneratedNode::GeneratedNode(GeneratedFilesystem const& filesystem, FileType type, u32 permissions, Ref<Inode> directory,
                             std::string_view name)
    : Inode{type},
      filesystem_{filesystem},
      directory_{std::move(directory)},
      name_{name},
      permissions_{permissions},
      number_{directory_ ? number_of(static_cast<GeneratedNode&>(*directory_).number(), name) : 1} {}

Attributes GeneratedNode::attributes() {
    Attributes result;
    result.filesystem = filesystem_.number;
    result.inode = number_;
    result.type = type();
    result.permissions = permissions_;
    result.link_count = is_directory() ? 2 : 1;
    result.access_time = result.modify_time = result.change_time = result.birth_time = wall_clock_now();
    return result;
}

FilesystemStatistics GeneratedNode::filesystem_statistics() { return {.magic = filesystem_.magic}; }

Result<Ref<File>> GeneratedDirectory::open(OpenFlags flags, String path) {
    return open_directory(*this, flags, std::move(path));
}

GeneratedNode* GeneratedDirectory::find(std::string_view name) const {
    for (Ref<GeneratedNode> const& node : nodes_)
        if (node->name() == name) return node.get();
    return nullptr;
}

Result<Ref<Inode>> GeneratedDirectory::lookup(std::string_view name) {
    GeneratedNode* const node = find(name);
    if (node == nullptr) return fail(Error::NotFound);
    return Ref<Inode>{*node};
}

Result<Ref<Inode>> GeneratedDirectory::parent() { return directory() ? directory() : Ref<Inode>{*this}; }

Result<> GeneratedDirectory::list(u64 position, DirectorySink& sink) {
    for (size_t i = position < 2 ? 0 : position - 2; i < nodes_.size(); ++i)
        if (!sink.add({.name = nodes_[i]->name(), .inode = nodes_[i]->number(), .type = nodes_[i]->type(),
                       .next = i + 3}))
            break;
    return {};
}

Result<> GeneratedDirectory::name_of(Inode const& child, String& name) {
    return name.append(static_cast<GeneratedNode const&>(child).name());  // only its own children are asked for
}

// After a failure (no memory) the next look begins anew.
Result<> LazyDirectory::ensure_filled() {
    if (is_filled_.load(std::memory_order_acquire)) return {};
    sched::MutexGuard guard{mutex_};
    if (is_filled_.load(std::memory_order_relaxed)) return {};
    clear();
    TRY(fill_(*this, argument_));
    is_filled_.store(true, std::memory_order_release);
    return {};
}

Result<Ref<Inode>> LazyDirectory::lookup(std::string_view name) {
    TRY(ensure_filled());
    return GeneratedDirectory::lookup(name);
}

Result<> LazyDirectory::list(u64 position, DirectorySink& sink) {
    TRY(ensure_filled());
    return GeneratedDirectory::list(position, sink);
}

Result<Ref<File>> GeneratedText::open(OpenFlags flags, String path) {
    u32 const permissions = attributes().permissions;
    if (flags.has(OpenFlags::Write) && (permissions & 0222) == 0) return fail(Error::AccessDenied);
    if (flags.has(OpenFlags::Read) && (permissions & 0444) == 0) return fail(Error::AccessDenied);
    auto* const file = new (std::nothrow) TextFile{flags, *this, std::move(path)};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<File>::adopt(file);
}

Result<> GeneratedText::set(std::string_view) { return fail(Error::NotPermitted); }

Result<GeneratedDirectory*> add_directory(GeneratedDirectory& directory, std::string_view path) {
    if (path.empty()) return &directory;
    SplitPath const parts = split(path);
    GeneratedDirectory& above = *TRY(add_directory(directory, parts.directory));
    if (above.find(parts.name) == nullptr) TRY(add_node<GeneratedDirectory>(above, parts.name));
    GeneratedNode* const node = above.find(parts.name);
    if (!node->is_directory()) return fail(Error::NotDirectory);
    return static_cast<GeneratedDirectory*>(node);
}

Result<> add_text(GeneratedDirectory& directory, TextEntry const& entry) {
    SplitPath const parts = split(entry.path);
    return add_node<FixedText>(*TRY(add_directory(directory, parts.directory)), parts.name, entry);
}

Result<> add_link(GeneratedDirectory& directory, std::string_view path, std::string_view target) {
    SplitPath const parts = split(path);
    return add_node<GeneratedLink>(*TRY(add_directory(directory, parts.directory)), parts.name, target);
}

Result<> add_lazy_directory(GeneratedDirectory& directory, std::string_view path, LazyDirectory::Fill fill,
                            u64 argument) {
    SplitPath const parts = split(path);
    return add_node<LazyDirectory>(*TRY(add_directory(directory, parts.directory)), parts.name, fill, argument);
}

Result<> generate_number(u64 value, String& text) { return text.append_format("{}\n", value); }

Result<> generate_line(u64 text_pointer, String& text) {
    return text.append_format("{}\n", std::string_view{reinterpret_cast<char const*>(text_pointer)});
}

Result<i64> parse_number(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    bool const negative = !text.empty() && text.front() == '-';
    if (negative) text.remove_prefix(1);
    if (text.empty() || text.front() < '0' || text.front() > '9') return fail(Error::InvalidArgument);
    i64 value = 0;
    for (char const c : text) {
        if (c < '0' || c > '9') break;
        if (__builtin_mul_overflow(value, i64{10}, &value) || __builtin_add_overflow(value, i64{c - '0'}, &value))
            return fail(Error::InvalidArgument);
    }
    return negative ? -value : value;
}

}  // namespace tutti::vfs
