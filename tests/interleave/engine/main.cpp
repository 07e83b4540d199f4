// SPDX-License-Identifier: BSD-3-Clause
// The command line of a program under the checker.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "engine/engine.hpp"

using namespace tutti::interleave;

namespace {

char const kUsage[] =
    "%s [options] [PROGRAM...]        PROGRAM: part of a name, or with --exact all of it; none: all programs\n"
    "  --list               names only\n"
    "  --preemptions N      forced switches in a schedule, instead of the program's own bound\n"
    "  --deeper N           N more than the program's own bound; of random schedules ten times as many, N times\n"
    "  --seconds S          stop each exploration after this long (reported as incomplete)\n"
    "  --random N           N random schedules instead of all        --seed S   (default 1)\n"
    "  --replay SCHEDULE    one schedule, with all its operations    --mutant M the mutant that it belongs to\n"
    "  --mutants            every memory order in files under kernel/ one step weaker, one after the other\n"
    "  --report FILE        appends the results as lines of JSON     --caught FILE  mutants that need not be tried\n";

struct Options {
    std::vector<std::string> names;
    std::string replay, mutant, report, caught, under = "kernel/";
    Limits limits;
    u64 random = 0, seed = 1;
    bool list = false, mutants = false, exact = false;
};

std::string quoted(std::string const& text) {
    std::string result = "\"";
    for (char const c : text) {
        if (c == '\n')
            result += "\\n";
        else if (c == '"' || c == '\\')
            (result += '\\') += c;
        else
            result += c;
    }
    return result + "\"";
}

void report_line(Options const& options, std::string const& line) {
    if (options.report.empty()) return;
    std::ofstream file{options.report, std::ios::app};
    file << line << "\n";
}

void print_trace() {
    for (auto const& line : g->trace) {
        std::string const who = line.strand == g->setup ? "set-up" : "CPU " + std::to_string(line.strand);
        std::printf("    %-7s %-60s %s\n", who.c_str(), line.text.c_str(), line.pc == 0 ? "" : g->sites.description(line.pc).c_str());
    }
}

// A program that is wrong on purpose: fine when the checker says so, and again when it is given the schedule.
void check_must_fail(Program const& program, Result& result) {
    if (program.bounds.must_fail == nullptr) return;
    if (result.failed && result.kind == program.bounds.must_fail) {
        Result const again = g->explore(program, Choosing::Replay, 0, {}, result.schedule);
        result.failed = !again.failed || again.kind != result.kind || again.message != result.message;
        result.complete = !result.failed;
        if (!result.failed) return;
        result.message = "its schedule does not fail in the same way: " + result.schedule;
        result.kind = "missed";
        result.schedule.clear();
        return;
    }
    result.message = std::string{"should be reported as "} + program.bounds.must_fail + ", but was " +
                     (result.failed ? result.kind + ": " + result.message : "not reported at all");
    result.kind = "missed";
    result.schedule.clear();
    result.failed = true;
}

// Exactly the outcomes that the litmus test names.
void check_outcomes(Program const& program, Result& result) {
    if (program.bounds.outcomes[0] == 0 || result.failed || !result.complete) return;
    std::set<unsigned> wanted, seen{g->outcomes.begin(), g->outcomes.end()};
    for (unsigned value : program.bounds.outcomes)
        if (value != 0) wanted.insert(value);
    std::string text;
    for (unsigned value : wanted)
        if (!seen.contains(value)) text += " " + std::to_string(value) + " never came";
    for (unsigned value : seen)
        if (!wanted.contains(value)) text += " " + std::to_string(value) + " must not come";
    if (text.empty()) return;
    result.failed = true;
    result.kind = "outcomes";
    result.message = text;
}

Result explore(Program const& program, Options const& options) {
    bool const sample = options.random != 0 || program.bounds.samples != 0;
    Limits limits = options.limits;
    if (sample) {
        limits.schedules = options.random != 0 ? options.random : program.bounds.samples;
        for (u32 i = 0; i < g->deeper; ++i) limits.schedules *= 10;
    }
    Result result = g->explore(program, sample ? Choosing::Random : Choosing::Exhaustive, options.seed, limits);
    check_outcomes(program, result);
    if (sample && !result.failed) result.complete = false;
    return result;
}

void print_failure(Program const& program, Result const& result, std::string const& mutant) {
    std::printf("  %s: %s\n", result.kind.c_str(), result.message.c_str());
    if (result.schedule.empty()) return;
    g->trace_on = true;
    Result const again = g->explore(program, Choosing::Replay, 0, {}, result.schedule);
    g->trace_on = false;
    print_trace();
    if (!again.failed || again.kind != result.kind) std::printf("  (the replay did not fail in the same way)\n");
    std::printf("  again: %s --replay '%s'%s%s%s\n", program.name, result.schedule.c_str(), mutant.empty() ? "" : " --mutant '",
                mutant.c_str(), mutant.empty() ? "" : "'");
}

bool run_program(Program const& program, Options const& options) {
    Result result = explore(program, options);
    check_must_fail(program, result);
    char const* const verdict = result.failed ? "FAILED" : result.complete ? "ok" : options.random != 0 || program.bounds.samples != 0 ? "sampled" : "incomplete";
    std::printf("%-36s %-10s %9llu schedules %9llu states  %5u steps at most  %.2f s\n", program.name, verdict,
                static_cast<unsigned long long>(result.schedules), static_cast<unsigned long long>(result.states), result.deepest,
                result.seconds);
    if (result.failed) print_failure(program, result, "");
    report_line(options, "{\"program\": " + quoted(program.name) + ", \"verdict\": " + quoted(verdict) +
                             ", \"schedules\": " + std::to_string(result.schedules) + ", \"states\": " + std::to_string(result.states) +
                             ", \"seconds\": " + std::to_string(result.seconds) + "}");
    std::fflush(stdout);
    return !result.failed;
}

bool parse_mutant(std::string const& text, std::vector<Mutant> const& all, Mutant& out) {
    for (auto const& one : all)
        if (one.to_string() == text) {
            out = one;
            return true;
        }
    return false;
}

// Every weaker order of every place that a program reaches; caught when the program then fails.
void run_mutants(Program const& program, Options const& options, std::set<std::string>& caught) {
    if (program.bounds.must_fail != nullptr) return;
    Sites& sites = g->sites;
    sites.set_recording(true);
    Result const base = explore(program, options);
    sites.set_recording(false);
    if (base.failed) {
        std::printf("%s fails by itself\n", program.name);
        return;
    }
    for (Mutant const& mutant : sites.mutants(options.under)) {
        std::string const name = mutant.to_string();
        if (caught.contains(name)) continue;
        sites.set_mutant(&mutant);
        Result const result = explore(program, options);
        sites.set_mutant(nullptr);
        std::printf("%-28s %-9s %-80s %s %.1f s\n", program.name, result.failed ? "caught" : result.complete ? "survived" : "timed out",
                    name.c_str(), result.kind.c_str(), result.seconds);
        std::fflush(stdout);
        if (result.failed) caught.insert(name);
        report_line(options, "{\"mutant\": " + quoted(name) + ", \"program\": " + quoted(program.name) +
                                 ", \"caught\": " + (result.failed ? "true" : "false") + ", \"complete\": " +
                                 (result.complete ? "true" : "false") + ", \"how\": " + quoted(result.kind) +
                                 ", \"schedules\": " + std::to_string(result.schedules) +
                                 ", \"seconds\": " + std::to_string(result.seconds) + "}");
    }
    sites.forget_recorded();
}

int replay(Program const& program, Options const& options) {
    Mutant mutant;
    if (!options.mutant.empty()) {
        g->sites.set_recording(true);
        Limits few;
        few.seconds = 20;
        (void)g->explore(program, Choosing::Exhaustive, 1, few);
        g->sites.set_recording(false);
        if (!parse_mutant(options.mutant, g->sites.mutants(""), mutant)) {
            std::fprintf(stderr, "interleave: no such mutant here: %s\n", options.mutant.c_str());
            return 2;
        }
        g->sites.set_mutant(&mutant);
    }
    Result result;
    if (options.replay.empty()) {
        result = explore(program, options);
        if (result.failed) {
            std::printf("%s\n", program.name);
            print_failure(program, result, options.mutant);
        }
    } else {
        g->trace_on = true;
        result = g->explore(program, Choosing::Replay, 0, {}, options.replay);
        std::printf("%s\n", program.name);
        print_trace();
        if (result.failed) std::printf("  %s: %s\n", result.kind.c_str(), result.message.c_str());
    }
    if (!result.failed) std::printf("%s does not fail\n", program.name);
    return result.failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    g = new Engine;
    Options options;
    for (int i = 1; i < argc; ++i) {
        std::string const word = argv[i];
        auto const value = [&]() -> char const* {
            if (i + 1 >= argc) {
                std::fprintf(stderr, kUsage, argv[0]);
                std::exit(2);
            }
            return argv[++i];
        };
        if (word == "--list") options.list = true;
        else if (word == "--exact") options.exact = true;
        else if (word == "--mutants") options.mutants = true;
        else if (word == "--preemptions") g->preemption_bound = std::atoi(value());
        else if (word == "--deeper") g->deeper = static_cast<u32>(std::atoi(value()));
        else if (word == "--seconds") options.limits.seconds = std::atof(value());
        else if (word == "--random") options.random = std::strtoull(value(), nullptr, 10);
        else if (word == "--seed") options.seed = std::strtoull(value(), nullptr, 10);
        else if (word == "--replay") options.replay = value();
        else if (word == "--mutant") options.mutant = value();
        else if (word == "--report") options.report = value();
        else if (word == "--caught") options.caught = value();
        else if (word == "--under") options.under = value();
        else if (word.starts_with("--")) {
            std::fprintf(stderr, kUsage, argv[0]);
            return 2;
        } else options.names.push_back(word);
    }
    std::set<std::string> caught;
    if (!options.caught.empty()) {
        std::ifstream file{options.caught};
        for (std::string line; std::getline(file, line);) caught.insert(line);
    }
    u32 run = 0, failed = 0;
    for (Program* program = programs(); program != nullptr; program = program->next) {
        bool const wanted = options.names.empty() || std::any_of(options.names.begin(), options.names.end(), [&](auto const& name) {
                                return options.exact ? name == program->name : std::string{program->name}.find(name) != std::string::npos;
                            });
        if (!wanted) continue;
        ++run;
        if (options.list)
            std::printf("%s\n", program->name);
        else if (!options.replay.empty() || !options.mutant.empty())
            return replay(*program, options);
        else if (options.mutants)
            run_mutants(*program, options, caught);
        else if (!run_program(*program, options))
            ++failed;
    }
    if (run == 0) {
        std::fprintf(stderr, "interleave: no such program\n");
        return 2;
    }
    if (!options.list && !options.mutants) std::printf("%u passed, %u failed\n", run - failed, failed);
    return failed == 0 ? 0 : 1;
}
