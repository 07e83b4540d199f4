// SPDX-License-Identifier: BSD-3-Clause
// Runs the contests: rounds in which every contestant of a contest has its turn, so that what disturbs the host disturbs
// all alike; medians over the rounds. Writes one JSON object for each contestant and setting (bench/native.py reads it).
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "crew.hpp"

namespace tutti::bench {

Crew peer_crew;

namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kMaxThreads = 2;
constexpr double kPrivateNs = 70;

Contestant* first = nullptr;
Contestant** last = &first;

struct Options {
    unsigned rounds = 9;
    double window_ms = 4;
    std::string only;
    std::string output;
};

// --- one processor for each member of a crew ---------------------------------------------------------------------------

// A real-time thread is not preempted by whatever else the host does, for the few milliseconds of a round. Refused to
// ordinary users; then rounds that were disturbed are repeated a few times.
// The runner, which ends the rounds, comes before those who spin in them.
constexpr int kMemberPriority = 1;
constexpr int kRunnerPriority = 2;
void set_realtime(int priority) {
    sched_param const parameters{.sched_priority = priority};
    (void)::sched_setscheduler(0, priority != 0 ? SCHED_FIFO : SCHED_OTHER, &parameters);
}
long disturbances() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

void peer_member(unsigned index) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(index, &set);
    (void)::sched_setaffinity(0, sizeof set, &set);
    for (unsigned done = 0;;) {
        peer_crew.ticket.wait(done, std::memory_order_acquire);
        done = peer_crew.ticket.load(std::memory_order_acquire);
        if (index >= (done & kThreads)) continue;
        set_realtime(kMemberPriority);
        do_job(peer_crew, index, disturbances);
        set_realtime(0);
    }
}

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(50)); }

void post(Crew& crew, Job& job, unsigned threads) {
    crew.job = &job;
    unsigned const number = crew.ticket.load(std::memory_order_relaxed) / (kThreads + 1) + 1;
    crew.ticket.store(number * (kThreads + 1) + threads, std::memory_order_release);
    crew.ticket.notify_all();
    while (job.arrived.load(std::memory_order_acquire) < threads) nap();
}
void finish(Job const& job, unsigned threads) {
    while (job.finished.load(std::memory_order_acquire) < threads) nap();
}
void call(Crew& crew, void (*function)()) {
    if (function == nullptr) return;
    Job job;
    job.call = function;
    job.go = true;
    post(crew, job, 1);
    finish(job, 1);
}

// --- measuring ---------------------------------------------------------------------------------------------------------

struct Round {
    double ns = 0;        // for one operation: the window by the operations of all threads
    double fairness = 1;  // the least count by the greatest
    long disturbed = 0;   // times that the host took a processor away
};

// The runner takes a processor once itself, when it ends the round.
constexpr long kRunnersOwn = 1;

Round measure(Contestant const& contestant, unsigned threads, unsigned work, double window_ms) {
    Crew& crew = contestant.side == Side::Ours ? our_crew : peer_crew;
    call(crew, contestant.set_up);
    std::atomic<bool> stop{false};
    Worker workers[kMaxThreads];
    for (unsigned i = 0; i < threads; ++i) workers[i] = {.index = i, .threads = threads, .private_work = work, .stop = &stop};
    Job job;
    job.run = contestant.run;
    job.workers = workers;
    post(crew, job, threads);
    auto const start = Clock::now();
    job.go.store(true, std::memory_order_release);
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(window_ms));
    stop.store(true, std::memory_order_relaxed);
    double const elapsed = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    finish(job, threads);
    call(crew, contestant.tear_down);
    std::uint64_t total = 0;
    std::uint64_t least = ~std::uint64_t{0};
    std::uint64_t greatest = 0;
    for (unsigned i = 0; i < threads; ++i) {
        total += workers[i].count;
        least = std::min(least, workers[i].count);
        greatest = std::max(greatest, workers[i].count);
    }
    if (contestant.check != nullptr && !contestant.check(total)) {
        std::cerr << "native: " << contestant.name << " let two threads in at once\n";
        ::_exit(1);
    }
    if (total == 0) {
        std::cerr << "native: " << contestant.name << " did nothing\n";
        ::_exit(1);
    }
    return {elapsed / static_cast<double>(total), greatest == 0 ? 1 : static_cast<double>(least) / static_cast<double>(greatest),
            std::max(0L, job.disturbances.load(std::memory_order_relaxed) - kRunnersOwn)};
}

// The least disturbed of a few tries.
Round measure_quietly(Contestant const& contestant, unsigned threads, unsigned work, double window_ms) {
    constexpr int kTries = 4;
    Round best = measure(contestant, threads, work, window_ms);
    for (int i = 1; i < kTries && best.disturbed != 0; ++i) {
        Round const again = measure(contestant, threads, work, window_ms);
        if (again.disturbed < best.disturbed) best = again;
    }
    return best;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    std::size_t const middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}
// The value that `quarters` quarters of the others do not exceed.
double quartile(std::vector<double> values, unsigned quarters) {
    std::ranges::sort(values);
    return values[(values.size() - 1) * quarters / 4];
}

unsigned steps_for(double nanoseconds) {
    constexpr unsigned kSteps = 1'000'000;
    double best = 1e18;
    for (int i = 0; i < 5; ++i) {
        auto const start = Clock::now();
        asm volatile("" ::"r"(spend(1, kSteps)));
        best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    }
    return static_cast<unsigned>(nanoseconds / (best / kSteps));
}

struct Setting {
    unsigned threads;
    bool spaced;
};
std::vector<Setting> settings_of(std::string const& contest) {
    if (contest == "switch") return {{1, false}};
    if (contest == "wake-up" || contest == "rcu synchronize") return {{2, false}};
    if (contest.starts_with("list") || contest.starts_with("rcu")) return {{1, false}, {2, false}};
    return {{1, false}, {2, false}, {2, true}};
}

void run_contest(std::string const& contest, Options const& options, unsigned private_steps, nlohmann::json& rows) {
    std::vector<Contestant const*> contestants;
    for (Contestant const* c = first; c != nullptr; c = c->next)
        if (c->contest == contest) contestants.push_back(c);
    for (Setting const setting : settings_of(contest)) {
        std::vector<std::vector<double>> ns(contestants.size());
        std::vector<std::vector<double>> fairness(contestants.size());
        std::vector<long> disturbed(contestants.size());
        for (unsigned round = 0; round <= options.rounds; ++round) {
            for (std::size_t i = 0; i < contestants.size(); ++i) {
                Round const result = measure_quietly(*contestants[i], setting.threads, setting.spaced ? private_steps : 0, options.window_ms);
                if (round == 0) continue;  // warms up
                ns[i].push_back(result.ns);
                fairness[i].push_back(result.fairness);
                disturbed[i] += result.disturbed != 0;
            }
        }
        for (std::size_t i = 0; i < contestants.size(); ++i) {
            rows.push_back({{"contest", contest},
                            {"name", contestants[i]->name},
                            {"side", contestants[i]->side == Side::Ours ? "ours" : "peer"},
                            {"threads", setting.threads},
                            {"spaced", setting.spaced},
                            {"ns", median(ns[i])},
                            {"ns_quartiles", {quartile(ns[i], 1), quartile(ns[i], 3)}},
                            {"fairness", median(fairness[i])},
                            {"rounds", options.rounds},
                            {"disturbed", disturbed[i]}});
            std::fprintf(stderr, "  %-18s %u thread%s %-7s %-32s %9.2f ns  fairness %.2f%s\n", contest.c_str(), setting.threads,
                         setting.threads == 1 ? " " : "s", setting.spaced ? "spaced" : "tight", contestants[i]->name, median(ns[i]),
                         median(fairness[i]), disturbed[i] != 0 ? "  (disturbed)" : "");
        }
    }
}

void run_contests(Options const& options) {
    std::vector<std::thread> peers;
    for (unsigned i = 0; i < kMaxThreads; ++i) peers.emplace_back(peer_member, i);
    set_realtime(kRunnerPriority);
    unsigned const private_steps = steps_for(kPrivateNs);
    std::vector<std::string> contests;
    for (Contestant const* c = first; c != nullptr; c = c->next)
        if (std::ranges::find(contests, c->contest) == contests.end() && std::regex_search(c->contest, std::regex(options.only)))
            contests.emplace_back(c->contest);
    nlohmann::json rows = nlohmann::json::array();
    for (std::string const& contest : contests) run_contest(contest, options, private_steps, rows);
    if (!options.output.empty()) std::ofstream(options.output) << rows.dump(1) << "\n";
    std::cerr.flush();
    ::_exit(rows.empty() ? 1 : 0);
}

}  // namespace

void enter(Contestant& contestant) {
    *last = &contestant;
    last = &contestant.next;
}

}  // namespace tutti::bench

int main(int argc, char** argv) {
    CLI::App app{"Our primitives beside their best peers, on this host's processors.", "native"};
    tutti::bench::Options options;
    app.add_option("--rounds", options.rounds, "Rounds of each contest")->check(CLI::Range(1, 1000));
    app.add_option("--window", options.window_ms, "Milliseconds of each turn");
    app.add_option("--only", options.only, "Contests whose name matches this pattern");
    app.add_option("--output", options.output, "Write the rows here as JSON");
    CLI11_PARSE(app, argc, argv);
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) {
        std::cerr << "native: two processors are needed\n";
        return 2;
    }
    std::thread runner(tutti::bench::run_contests, options);
    tutti::bench::run_machine(tutti::bench::kMaxThreads);
}
