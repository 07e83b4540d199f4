// SPDX-License-Identifier: BSD-3-Clause
#include "base/format.hpp"

namespace tutti::detail {
namespace {

class Writer {
  public:
    explicit Writer(std::span<char> out) : out_{out} {}
    ISR_SAFE void put(char c) {
        if (used_ < out_.size()) out_[used_++] = c;
    }
    ISR_SAFE void put(std::string_view text) {
        for (char const c : text) put(c);
    }
    [[nodiscard]] std::string_view written() const { return {out_.data(), used_}; }

  private:
    std::span<char> out_;
    size_t used_ = 0;
};

struct Spec {
    bool alternate = false;  // '#'
    char fill = ' ';
    unsigned width = 0;
    char type = 0;
};

ISR_SAFE Spec parse_spec(std::string_view text) {
    Spec spec;
    size_t i = 0;
    if (i < text.size() && text[i] == ':') ++i;
    if (i < text.size() && text[i] == '#') {
        spec.alternate = true;
        ++i;
    }
    if (i < text.size() && text[i] == '0') {
        spec.fill = '0';
        ++i;
    }
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
        spec.width = spec.width * 10 + static_cast<unsigned>(text[i] - '0');
    if (i < text.size()) spec.type = text[i];
    return spec;
}

ISR_SAFE void put_padded(Writer& out, std::string_view prefix, std::string_view digits, Spec const& spec, bool left) {
    size_t const length = prefix.size() + digits.size();
    size_t const pad = spec.width > length ? spec.width - length : 0;
    if (spec.fill == '0') out.put(prefix);
    if (!left)
        for (size_t i = 0; i < pad; ++i) out.put(spec.fill);
    if (spec.fill != '0') out.put(prefix);
    out.put(digits);
    if (left)
        for (size_t i = 0; i < pad; ++i) out.put(' ');
}

ISR_SAFE void put_number(Writer& out, FormatArg const& arg, Spec const& spec) {
    bool const hexadecimal = spec.type == 'x' || arg.kind == FormatArg::Kind::Pointer;
    u64 magnitude = arg.bits;
    bool const negative = arg.kind == FormatArg::Kind::Signed && !hexadecimal && static_cast<i64>(arg.bits) < 0;
    if (negative) magnitude = 0 - magnitude;

    char digits[24];
    size_t at = sizeof digits;
    unsigned const radix = hexadecimal ? 16 : 10;
    do {
        digits[--at] = "0123456789abcdef"[magnitude % radix];
        magnitude /= radix;
    } while (magnitude != 0);

    bool const prefixed = hexadecimal && (spec.alternate || arg.kind == FormatArg::Kind::Pointer);
    std::string_view const prefix = negative ? "-" : prefixed && spec.type != 'x' ? "0x" : spec.alternate ? "0x" : "";
    put_padded(out, prefix, {digits + at, sizeof digits - at}, spec, false);
}

ISR_SAFE void put_argument(Writer& out, FormatArg const& arg, Spec const& spec) {
    switch (arg.kind) {
        case FormatArg::Kind::Bool: put_padded(out, "", arg.bits != 0 ? "true" : "false", spec, true); return;
        case FormatArg::Kind::Char: {
            char const c = static_cast<char>(arg.bits);
            put_padded(out, "", {&c, 1}, spec, true);
            return;
        }
        case FormatArg::Kind::String: put_padded(out, "", arg.text, spec, true); return;
        case FormatArg::Kind::Unsigned:
        case FormatArg::Kind::Signed:
        case FormatArg::Kind::Pointer: put_number(out, arg, spec); return;
    }
}

}  // namespace

ISR_SAFE std::string_view vformat_to(std::span<char> buffer, std::string_view format, std::span<FormatArg const> args) {
    Writer out{buffer};
    size_t next = 0;
    for (size_t i = 0; i < format.size(); ++i) {
        char const c = format[i];
        if (c == '{' && i + 1 < format.size() && format[i + 1] != '{') {
            size_t const close = format.find('}', i);
            if (close == std::string_view::npos) break;
            if (next < args.size()) put_argument(out, args[next++], parse_spec(format.substr(i + 1, close - i - 1)));
            i = close;
        } else {
            if ((c == '{' || c == '}') && i + 1 < format.size()) ++i;
            out.put(c);
        }
    }
    return out.written();
}

}  // namespace tutti::detail
