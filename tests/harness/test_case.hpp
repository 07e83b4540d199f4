// SPDX-License-Identifier: BSD-3-Clause
// What the macros of test.hpp leave in the image for each case, and what a case may ask for.
#pragma once

#include <array>
#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/format.hpp"
#include "base/types.hpp"

namespace tutti::harness {

enum class On : u8 {
    OneThread,
    AllCpus,  // the body runs on every CPU at once, in pinned threads
    EachCpu,  // the body runs on one CPU after the other; each is a case of its own (NAME/cpuN)
};

inline constexpr Nanoseconds kDefaultLimit = Nanoseconds::from_s(60);

// The last arguments of the macros, by name: TEST(suite, name, .limit = Nanoseconds::from_s(5)) { ... }
struct CaseOptions {
    Nanoseconds limit = kDefaultLimit;  // longer, and the run ends with a report of every CPU's stack
    u32 min_cpus = 1;                   // fewer, and the case is skipped, with that as the printed reason
    bool on_request = false;            // runs only when the filter spells out its suite
    On on = On::OneThread;
    char const* death = nullptr;  // the body must run into a panic whose message contains this
};

// Where and with what a body runs.
struct Instance {
    CpuId cpu;
    u32 cpus;
    u32 variant;
};

struct TestCase {
    char const* suite;
    char const* name;
    char const* file;
    int line;
    void (*run)(Instance const&);
    CaseOptions options;
    u32 variants = 0;  // parameters or types; 0: the case has none
    std::string_view (*describe)(std::span<char> buffer, u32 variant) = nullptr;
};

consteval CaseOptions with_cpus(CaseOptions options, On on) {
    options.on = on;
    return options;
}
consteval CaseOptions with_death(CaseOptions options, char const* text) {
    options.death = text;
    return options;
}

// The parameters of a TEST_P. A structure shows its member `name` in the report, or else its index.
template <class... T>
consteval auto values(T... value) {
    return std::array<std::common_type_t<T...>, sizeof...(T)>{value...};
}

namespace detail {

template <class T>
std::string_view describe_value(std::span<char> buffer, T const& value, u32 index) {
    if constexpr (requires { { value.name } -> std::convertible_to<std::string_view>; })
        return value.name;
    else if constexpr (std::integral<T> || std::is_enum_v<T> || std::convertible_to<T const&, std::string_view> ||
                       requires { value.value(); } || requires { value.count(); })
        return format_to(buffer, "{}", value);
    else
        return format_to(buffer, "{}", index);
}

// "QueuedSpinLock" for tutti::smp::QueuedSpinLock.
template <class Type>
constexpr std::string_view type_name() {
    std::string_view text = __PRETTY_FUNCTION__;  // ... [Type = tutti::smp::QueuedSpinLock]
    text.remove_prefix(text.rfind("Type = ") + 7);
    text = text.substr(0, text.find_first_of(";]"));
    size_t const scope = text.substr(0, text.find('<')).rfind("::");
    return scope == std::string_view::npos ? text : text.substr(scope + 2);
}

}  // namespace detail

// The types of a TEST_TYPES.
template <class... Type>
struct Types {
    static constexpr u32 kCount = sizeof...(Type);
    static std::string_view describe(std::span<char>, u32 variant) {
        constexpr std::string_view kNames[] = {detail::type_name<Type>()...};
        return kNames[variant];
    }
    template <class Function>
    static void visit(u32 variant, Function&& function) {
        u32 index = 0;
        ((index++ == variant ? function.template operator()<Type>() : void()), ...);
    }
};

}  // namespace tutti::harness
