// SPDX-License-Identifier: BSD-3-Clause
#include "report.hpp"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace isrcheck {
namespace {

// There is no way to exempt code from the rules; the number is printed so that a way that somebody adds shows.
constexpr unsigned kExemptions = 0;

char const* name_of(CallKind kind) {
    switch (kind) {
        case CallKind::Variable: return "variable";
        case CallKind::Type: return "type";
        case CallKind::Virtual: return "virtual";
        case CallKind::VirtualOfAnyClass: return "virtual_of_any_class";
        case CallKind::JumpTable: return "jump_table";
        case CallKind::Unresolved: return "unresolved";
    }
    return "?";
}

std::map<CallKind, unsigned> kinds_of(Result const& result) {
    std::map<CallKind, unsigned> out;
    for (auto const& [_, call] : result.indirect_calls) ++out[call.kind];
    return out;
}

struct Line {
    std::string what;
    std::string where;  // of the call in the line before, or of the fault
    bool inlined = false;
};

std::vector<Line> lines_of(Finding const& finding, DebugInfo& debug_info) {
    std::vector<Line> lines;
    auto const add_inlined = [&](Address at) {
        for (InlinedCall const& call : debug_info.inlined_at(at)) lines.push_back({call.function, call.called_from, true});
    };
    for (Step const& step : finding.chain) {
        if (step.call != 0) add_inlined(step.call);
        lines.push_back({step.function->name, step.call != 0 ? debug_info.line_of(step.call) : "", false});
    }
    if (finding.at != 0) add_inlined(finding.at);
    return lines;
}

}  // namespace

void print_report(std::string const& name, Image const& image, Result const& result, DebugInfo& debug_info) {
    for (Finding const& finding : result.findings) {
        Function const& last = *finding.chain.back().function;
        std::cerr << name << ": error [" << finding.kind << "]: an interrupt reaches " << last.name << " ("
                  << debug_info.line_of(last.start) << "), which " << finding.text;
        if (finding.at != 0) std::cerr << " at " << debug_info.line_of(finding.at);
        std::cerr << "\n";
        for (Line const& line : lines_of(finding, debug_info)) {
            std::cerr << "    " << (line.where.empty() ? "interrupt entry " : line.inlined ? "inlines " : "calls ") << line.what;
            if (!line.where.empty()) std::cerr << "    at " << line.where;
            std::cerr << "\n";
        }
    }
    std::cout << name << ": " << result.reachable.size() << " of " << image.functions().size()
              << " functions reachable from interrupts over " << result.edges << " calls";
    std::string kinds;
    for (auto const& [kind, count] : kinds_of(result)) {
        kinds += (kinds.empty() ? "" : ", ") + std::to_string(count) + " by " + name_of(kind);
    }
    std::cout << ", " << result.indirect_calls.size() << " of them indirect (" << kinds << "); " << result.findings.size() << " errors, "
              << result.boundaries.size() << " boundaries, " << kExemptions << " exemptions\n";
    for (Boundary const& boundary : result.boundaries)
        std::cout << "    " << boundary.kind << ": " << boundary.function->name << " (" << debug_info.line_of(boundary.function->start)
                  << "): " << boundary.reason << "\n";
}

void print_unmarked(Result const& result, DebugInfo& debug_info) {
    std::set<std::string> lines;
    for (Finding const& finding : result.findings)
        if (finding.kind == "unmarked")
            lines.insert(debug_info.line_of(finding.chain.back().function->start) + " " + finding.chain.back().function->name);
    for (std::string const& line : lines) std::cout << line << "\n";
}

void print_indirect(Result const& result, DebugInfo& debug_info) {
    for (auto const& [address, call] : result.indirect_calls) {
        std::cout << debug_info.line_of(address) << " by " << name_of(call.kind) << ":";
        for (Function const* const target : call.targets) std::cout << "\n    " << target->name;
        std::cout << "\n";
    }
}

void write_json(std::string const& path, std::string const& name, Image const& image, Result const& result,
                DebugInfo& debug_info) {
    nlohmann::ordered_json json;
    json["image"] = name;
    json["functions"] = image.functions().size();
    json["reachable"] = result.reachable.size();
    json["edges"] = result.edges;
    json["indirect"] = nlohmann::ordered_json::object();
    for (auto const& [kind, count] : kinds_of(result)) json["indirect"][name_of(kind)] = count;
    json["boundaries"] = nlohmann::ordered_json::array();
    for (Boundary const& boundary : result.boundaries)
        json["boundaries"].push_back({{"kind", boundary.kind},
                                      {"function", boundary.function->name},
                                      {"line", debug_info.line_of(boundary.function->start)},
                                      {"reason", boundary.reason}});
    json["findings"] = nlohmann::ordered_json::array();
    for (Finding const& finding : result.findings) {
        nlohmann::ordered_json chain = nlohmann::ordered_json::array();
        for (Line const& line : lines_of(finding, debug_info)) chain.push_back((line.inlined ? "inlined " : "") + line.what);
        json["findings"].push_back({{"kind", finding.kind}, {"chain", chain}});
    }
    json["exemptions"] = kExemptions;
    std::ofstream out(path);
    out << json.dump(2) << "\n";
    if (!out.flush()) throw BadImage("cannot write " + path);
}

}  // namespace isrcheck
