// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/elf/initial_stack.hpp"

#include <algorithm>
#include <cstring>

#include "base/bits.hpp"

namespace tutti::linux_abi::elf {
namespace {

constexpr size_t kWord = 8;
constexpr size_t kEndMark = 8;  // zero bytes at the very top, as Linux leaves

// Bytes of all strings with their NULs.
Result<size_t> strings_size(std::span<std::string_view const> strings) {
    size_t total = 0;
    for (std::string_view const text : strings) {
        if (text.size() >= kMaxArgumentSize) return fail(Error::TooBig);
        if (text.find('\0') != std::string_view::npos) return fail(Error::InvalidArgument);
        total += text.size() + 1;
    }
    return total;
}

// Writes upwards through the stack's bytes and knows which address they will have.
class Writer {
  public:
    Writer(std::span<u8> bytes, u64 base) : bytes_{bytes}, base_{base} {}
    [[nodiscard]] u64 address() const { return base_ + position_; }
    void seek(u64 address) { position_ = address - base_; }
    void word(u64 value) {
        store_le<u64>(bytes_.subspan(position_, kWord).data(), value);
        position_ += kWord;
    }
    void text(std::string_view text) {
        std::ranges::copy(text, bytes_.subspan(position_, text.size() + 1).begin());
        position_ += text.size() + 1;  // the NUL is there: the bytes start as zeroes
    }

  private:
    std::span<u8> bytes_;
    u64 base_;
    size_t position_ = 0;
};

// argv and envp: pointers to strings that lie one after the other from `first`, then NULL.
void write_pointers(Writer& writer, std::span<std::string_view const> strings, u64 first) {
    for (std::string_view const text : strings) {
        writer.word(first);
        first += text.size() + 1;
    }
    writer.word(0);
}

}  // namespace

Result<InitialStack> build_initial_stack(u64 top, u64 limit, StackContents const& contents) {
    size_t const arguments_size = TRY(strings_size(contents.arguments));
    size_t const environment_size = TRY(strings_size(contents.environment));
    std::array const names{contents.executable, contents.platform};
    size_t const names_size = TRY(strings_size(names));
    size_t const auxiliary_count = contents.auxiliary.size() + 4;  // Random, Platform, ExecutablePath, Null
    size_t const words = 1 + contents.arguments.size() + 1 + contents.environment.size() + 1 + 2 * auxiliary_count;
    size_t const strings = arguments_size + environment_size + names_size + contents.random.size() + kEndMark;
    size_t const total = align_up(strings, size_t{16}) + align_up(words * kWord, size_t{16});
    if (total > limit || total > top) return fail(Error::TooBig);

    InitialStack stack;
    TRY(stack.bytes.try_resize(total));
    stack.stack_pointer = top - total;

    u64 const executable = top - kEndMark - (contents.executable.size() + 1);
    stack.environment_end = executable;
    stack.environment_start = stack.environment_end - environment_size;
    stack.arguments_end = stack.environment_start;
    stack.arguments_start = stack.arguments_end - arguments_size;
    u64 const platform = stack.arguments_start - (contents.platform.size() + 1);
    u64 const random = platform - contents.random.size();

    Writer writer{stack.bytes.span(), stack.stack_pointer};
    writer.word(contents.arguments.size());
    write_pointers(writer, contents.arguments, stack.arguments_start);
    write_pointers(writer, contents.environment, stack.environment_start);
    stack.auxiliary_start = writer.address();
    stack.auxiliary_size = auxiliary_count * 2 * kWord;
    auto const auxiliary = [&](Auxiliary key, u64 value) {
        writer.word(static_cast<u64>(key));
        writer.word(value);
    };
    for (AuxiliaryEntry const& entry : contents.auxiliary) auxiliary(entry.key, entry.value);
    auxiliary(Auxiliary::Random, random);
    auxiliary(Auxiliary::Platform, platform);
    auxiliary(Auxiliary::ExecutablePath, executable);
    auxiliary(Auxiliary::Null, 0);

    std::memcpy(stack.bytes.data() + (random - stack.stack_pointer), contents.random.data(), contents.random.size());
    writer.seek(platform);
    writer.text(contents.platform);
    for (std::string_view const text : contents.arguments) writer.text(text);
    for (std::string_view const text : contents.environment) writer.text(text);
    writer.text(contents.executable);
    return stack;
}

}  // namespace tutti::linux_abi::elf
