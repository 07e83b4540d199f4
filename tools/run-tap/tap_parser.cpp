// SPDX-License-Identifier: BSD-3-Clause
#include "tap_parser.hpp"

#include <charconv>

namespace tutti::tap {
namespace {

// Takes a decimal number off the front of `text`.
std::optional<std::size_t> take_number(std::string_view& text) {
    std::size_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

void trim(std::string_view& text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '-')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
}

bool contains_word(std::string_view text, std::string_view upper) {
    for (std::size_t at = 0; at + upper.size() <= text.size(); ++at) {
        bool same = true;
        for (std::size_t i = 0; same && i < upper.size(); ++i) {
            char const c = text[at + i];
            same = (c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c) == upper[i];
        }
        if (same) return true;
    }
    return false;
}

}  // namespace

LineKind TapParser::line(std::string_view text) {
    if (text.starts_with("ok ") || text == "ok") return result(true, text.substr(2));
    if (text.starts_with("not ok ") || text == "not ok") return result(false, text.substr(6));
    if (text.starts_with("Bail out!")) {
        text.remove_prefix(9);
        trim(text);
        bail_out_ = std::string(text);
        return LineKind::BailOut;
    }
    if (text.starts_with("#")) return LineKind::Comment;
    if (text.starts_with("1..")) {
        text.remove_prefix(3);
        auto const count = take_number(text);
        trim(text);
        if (!count || (!text.empty() && !text.starts_with('#'))) return LineKind::Other;
        second_plan_ = second_plan_ || planned_.has_value();
        planned_ = count;
        return LineKind::Plan;
    }
    return LineKind::Other;
}

LineKind TapParser::result(bool ok, std::string_view rest) {
    trim(rest);
    std::size_t const expected = results() + 1;
    std::string_view name = rest;
    if (auto const number = take_number(name); number && *number != expected) {
        misnumbered_.push_back("result " + std::to_string(expected) + " is numbered " + std::to_string(*number));
    }
    trim(name);
    std::size_t const hash = name.find(" #");
    std::string_view const directive = hash == std::string_view::npos ? std::string_view() : name.substr(hash + 2);
    if (contains_word(directive, "SKIP")) {
        ++skipped_;
        return LineKind::Skip;
    }
    if (ok) {
        ++passed_;
        return LineKind::Pass;
    }
    failed_.emplace_back(name.empty() ? "(test without a name)" : name);
    return LineKind::Fail;
}

std::vector<std::string> TapParser::problems() const {
    std::vector<std::string> list;
    for (std::string const& name : failed_) list.push_back("failed: " + name);
    if (bail_out_) list.push_back("bailed out: " + *bail_out_);
    if (!planned_) {
        list.emplace_back("there is no plan line (1..N): the run did not get to its end, or never started");
    } else if (*planned_ != results()) {
        list.push_back(std::to_string(*planned_) + " tests were planned, " + std::to_string(results()) + " reported");
    } else if (*planned_ == 0) {
        list.emplace_back("no test was run");
    }
    if (second_plan_) list.emplace_back("there is more than one plan line");
    list.insert(list.end(), misnumbered_.begin(), misnumbered_.end());
    return list;
}

}  // namespace tutti::tap
