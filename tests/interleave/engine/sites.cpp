// SPDX-License-Identifier: BSD-3-Clause
#include "engine/sites.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tutti::interleave {

namespace {

// Files whose functions pass on what their callers decide: an operation belongs to the caller.
bool passes_on(std::string const& file) {
    return file.starts_with("/usr/") || file.ends_with("base/atomic_bitmap.hpp") || file.find("/interleave/machine/") != std::string::npos ||
           file.find("/interleave/engine/") != std::string::npos;
}

// From the folder kernel/ or tests/ on.
std::string shortened(std::string const& file) {
    for (char const* folder : {"/kernel/", "/tests/"})
        if (auto const at = file.rfind(folder); at != std::string::npos) return file.substr(at + 1);
    return file;
}

}  // namespace

char const* order_name(int order) {
    switch (order) {
        case kRelaxed: return "relaxed";
        case 1: return "consume";
        case kAcquire: return "acquire";
        case kRelease: return "release";
        case kAcqRel: return "acq_rel";
        case kSeqCst: return "seq_cst";
        default: return "removed";
    }
}

char const* kind_name(Kind kind) {
    switch (kind) {
        case Kind::Load: return "load";
        case Kind::Store: return "store";
        case Kind::ReadModifyWrite: return "change";
        case Kind::CompareFailure: return "failed compare";
        case Kind::Fence: return "fence";
    }
    return "";
}

std::string Mutant::to_string() const {
    return place + " " + kind_name(kind) + " " + order_name(from) + " -> " + order_name(to);
}

std::vector<Sites::Frame> const& Sites::frames(u32 pc) {
    auto const [it, fresh] = frames_.try_emplace(pc);
    std::vector<Frame>& result = it->second;
    if (!fresh || pc == 0) return result;
    if (to_symbolizer_ < 0) {
        int in[2], out[2];
        if (pipe(in) != 0 || pipe(out) != 0) std::abort();
        if (fork() == 0) {
            dup2(in[0], 0);
            dup2(out[1], 1);
            close(in[1]);
            close(out[0]);
            char path[4096];
            ssize_t const length = readlink("/proc/self/exe", path, sizeof path - 1);
            path[length > 0 ? length : 0] = '\0';
            std::string const object = std::string{"--obj="} + path;
            char const* const symbolizer = std::getenv("LLVM_SYMBOLIZER");
            execlp(symbolizer != nullptr ? symbolizer : "llvm-symbolizer-19", "llvm-symbolizer", object.c_str(),
                   "--inlines", "--demangle", nullptr);
            std::fprintf(stderr, "interleave: llvm-symbolizer-19 cannot be run (Debian package llvm-19)\n");
            _exit(2);
        }
        close(in[0]);
        close(out[1]);
        to_symbolizer_ = in[1];
        from_symbolizer_ = out[0];
    }
    char request[32];
    int const length = std::snprintf(request, sizeof request, "0x%x\n", pc - 1);
    if (write(to_symbolizer_, request, static_cast<std::size_t>(length)) != length) return result;
    std::vector<std::string> lines;
    while (lines.empty() || !lines.back().empty()) {
        std::size_t end;
        while ((end = unread_.find('\n')) == std::string::npos) {
            char buffer[4096];
            ssize_t const got = read(from_symbolizer_, buffer, sizeof buffer);
            if (got <= 0) return result;
            unread_.append(buffer, static_cast<std::size_t>(got));
        }
        lines.push_back(unread_.substr(0, end));
        unread_.erase(0, end + 1);
    }
    for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
        std::string const& where = lines[i + 1];
        auto const column = where.rfind(':');
        auto const line = where.rfind(':', column - 1);
        if (column == std::string::npos || line == std::string::npos) continue;
        result.push_back({lines[i], where.substr(0, line), std::atoi(where.c_str() + line + 1),
                          std::atoi(where.c_str() + column + 1)});
    }
    return result;
}

std::string Sites::place(u32 pc) {
    auto const [it, fresh] = places_.try_emplace(pc);
    if (!fresh) return it->second;
    auto const& all = frames(pc);
    Frame const* frame = nullptr;
    for (auto const& one : all) {
        frame = &one;
        if (!passes_on(one.file)) break;
    }
    if (frame != nullptr)
        it->second = shortened(frame->file) + ":" + std::to_string(frame->line) + ":" + std::to_string(frame->column);
    return it->second;
}

std::string Sites::description(u32 pc) {
    std::string text;
    for (auto const& frame : frames(pc)) {
        if (frame.file.starts_with("/usr/")) continue;
        if (!text.empty()) text += ", in ";
        text += shortened(frame.file) + ":" + std::to_string(frame.line);
    }
    return text.empty() ? "?" : text;
}

void Sites::record(u32 pc, Kind kind, int order) {
    if (!seen_.emplace(u64{pc} << 8 | static_cast<u64>(kind) << 4 | static_cast<u64>(order), true).second) return;
    auto& list = recorded_[place(pc)];
    for (auto const& one : list)
        if (one.first == kind && one.second == order) return;
    list.emplace_back(kind, order);
}

void Sites::set_mutant(Mutant const* mutant) {
    mutant_ = mutant;
    decided_.clear();
}

int Sites::mutated(u32 pc, Kind kind, int order) {
    if (kind != mutant_->kind || order != mutant_->from) return order;
    u64 const key = u64{pc} << 8 | static_cast<u64>(kind) << 4 | static_cast<u64>(order);
    auto const [it, fresh] = decided_.try_emplace(key, false);
    if (fresh) it->second = place(pc) == mutant_->place;
    return it->second ? mutant_->to : order;
}

std::vector<Mutant> Sites::mutants(std::string const& under) {
    std::vector<Mutant> result;
    for (auto const& [place, list] : recorded_) {
        if (place.find(under) == std::string::npos) continue;
        for (auto const& [kind, from] : list) {
            auto const add = [&, kind = kind, from = from](int to) { result.push_back({place, kind, from, to}); };
            switch (from) {
                case kSeqCst:
                    if (kind == Kind::Load || kind == Kind::CompareFailure)
                        add(kAcquire);
                    else if (kind == Kind::Store)
                        add(kRelease);
                    else
                        add(kAcqRel);
                    if (kind == Kind::Fence) add(kRemoved);
                    break;
                case kAcqRel:
                    add(kAcquire);
                    add(kRelease);
                    if (kind == Kind::Fence) add(kRemoved);
                    break;
                case 1:
                case kAcquire:
                case kRelease: add(kind == Kind::Fence ? kRemoved : kRelaxed); break;
                default: break;
            }
        }
    }
    return result;
}

}  // namespace tutti::interleave
