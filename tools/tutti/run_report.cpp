// SPDX-License-Identifier: BSD-3-Clause
#include "run_report.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace tutti::cli {
namespace {

using nlohmann::json;

std::string line(char const* format, auto... values) {
    char text[160];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

json guest_part(SessionResult const& result) {
    json guest = json::parse(result.summary, nullptr, false);
    return guest.is_object() ? guest : json();
}

double number(json const& object, char const* key) {
    auto const found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

}  // namespace

std::string readable_summary(SessionResult const& result) {
    std::string text;
    if (result.seconds_to_ready >= 0) {
        text += line("tutti: first user instruction after %.3f s (%.3f s on the guest's clock), all done after %.3f s\n",
                     result.seconds_to_ready, static_cast<double>(result.guest_ready_ns) * 1e-9, result.seconds);
    } else {
        text += line("tutti: no user instruction was run; all done after %.3f s\n", result.seconds);
    }
    json const guest = guest_part(result);
    auto const cpus = guest.find("cpus");
    if (cpus == guest.end() || !cpus->is_array()) return text;
    double total = 0;
    int index = 0;
    for (json const& cpu : *cpus) {
        double const busy = number(cpu, "busy_ns");
        double const all = busy + number(cpu, "idle_ns");
        double const share = all > 0 ? busy / all : 0;
        total += busy;
        std::string const bar(static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * 40 + 0.5), '#');
        text += line("tutti: cpu %-3d busy %8.3f s  %5.1f %%  |%-40s|\n", index++, busy * 1e-9, share * 100, bar.c_str());
    }
    text += line("tutti: all CPUs busy %.3f s together\n", total * 1e-9);
    return text;
}

std::string json_summary(SessionResult const& result) {
    json const object{{"status", result.status},
                      {"seconds", result.seconds},
                      {"seconds_to_ready", result.seconds_to_ready},
                      {"guest_ready_ns", result.guest_ready_ns},
                      {"guest", guest_part(result)}};
    return object.dump(2) + "\n";
}

}  // namespace tutti::cli
