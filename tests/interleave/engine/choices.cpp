// SPDX-License-Identifier: BSD-3-Clause
#include "engine/choices.hpp"

namespace tutti::interleave {

void Choices::start(Choosing mode, u64 seed) {
    mode_ = mode;
    state_ = seed;
    depth_ = 0;
    if (mode != Choosing::Replay) path_.clear();
}

u64 Choices::random() {  // SplitMix64
    u64 z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

u32 Choices::choose(u32 options, bool is_schedule) {
    if (options == 1) return 0;
    if (mode_ != Choosing::Random && depth_ < path_.size()) {
        Node& node = path_[depth_++];
        return node.chosen < options ? node.chosen : 0;
    }
    u16 chosen = 0;
    if (mode_ == Choosing::Random) {
        // The plain way mostly, so that an execution gets far; bursts of the others.
        u64 const dice = random();
        if (dice % 8 < (is_schedule ? 3 : 2)) chosen = static_cast<u16>((dice >> 8) % options);
    }
    path_.push_back({chosen, static_cast<u16>(options)});
    ++depth_;
    return chosen;
}

bool Choices::advance() {
    if (mode_ == Choosing::Replay) return false;
    if (mode_ == Choosing::Random) {
        path_.clear();
        return true;
    }
    path_.resize(depth_ < path_.size() ? depth_ : path_.size());
    while (!path_.empty() && path_.back().chosen + 1 == path_.back().options) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().chosen;
    return true;
}

// One character a choice; a run of the plain choice as its length in brackets.
std::string Choices::to_string() const {
    std::string text;
    std::size_t plain = 0;
    auto const flush = [&] {
        if (plain > 4)
            text += "(" + std::to_string(plain) + ")";
        else
            text.append(plain, '0');
        plain = 0;
    };
    for (std::size_t i = 0; i < path_.size() && i < depth_; ++i) {
        u32 const chosen = path_[i].chosen;
        if (chosen == 0) {
            ++plain;
            continue;
        }
        flush();
        text += static_cast<char>(chosen < 10 ? '0' + chosen : 'a' + (chosen - 10));
    }
    return text.empty() ? "0" : text;
}

bool Choices::parse(std::string const& text) {
    path_.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (c == '(') {
            std::size_t const end = text.find(')', i);
            if (end == std::string::npos) return false;
            path_.insert(path_.end(), std::stoul(text.substr(i + 1, end - i - 1)), Node{0, 0xffff});
            i = end;
        } else if (c >= '0' && c <= '9') {
            path_.push_back({static_cast<u16>(c - '0'), 0xffff});
        } else if (c >= 'a' && c <= 'z') {
            path_.push_back({static_cast<u16>(c - 'a' + 10), 0xffff});
        } else {
            return false;
        }
    }
    return true;
}

Visited::Visited() { clear(); }

void Visited::clear() {
    keys_.assign(1 << 16, 0);
    costs_.assign(1 << 16, 0);
    used_ = 0;
}

bool Visited::insert(u64 key, u8 preemptions) {
    if (key == 0) key = 1;
    std::size_t const mask = keys_.size() - 1;
    for (std::size_t i = key & mask;; i = (i + 1) & mask) {
        if (keys_[i] == key) {
            if (costs_[i] <= preemptions) return false;
            costs_[i] = preemptions;
            return true;
        }
        if (keys_[i] == 0) {
            keys_[i] = key;
            costs_[i] = preemptions;
            if (++used_ * 2 > keys_.size()) grow();
            return true;
        }
    }
}

void Visited::grow() {
    std::vector<u64> const keys = std::move(keys_);
    std::vector<u8> const costs = std::move(costs_);
    keys_.assign(keys.size() * 2, 0);
    costs_.assign(keys.size() * 2, 0);
    std::size_t const mask = keys_.size() - 1;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i] == 0) continue;
        std::size_t at = keys[i] & mask;
        while (keys_[at] != 0) at = (at + 1) & mask;
        keys_[at] = keys[i];
        costs_[at] = costs[i];
    }
}

}  // namespace tutti::interleave
