// SPDX-License-Identifier: BSD-3-Clause
// Lists that readers walk without a lock while one writer at a time changes them (writers exclude each other by a lock of
// the owner's).
//
//   RcuList   doubly linked, insertion at both ends and before a known element     RcuHashList   head of one word, for tables
//
//   insert    the node's own links first, then the link of its predecessor (release): a reader finds it whole or not at all
//   remove    the predecessor's link skips the node; the node's own link stays, so that a reader on it goes on into the list.
//             The element may be freed or inserted again after a grace period
//   replace   the predecessor's link goes to the new node, which links to the successor: readers see one or the other
//
// Progress: readers wait-free but for elements that are added behind them; writers as their lock. ISR-safe: readers up to
// Isr. ABA: readers compare nothing, writers are alone. An element must have left the list, a grace period ago, before it
// dies. A list owns nothing and is empty when destroyed (checked).
#pragma once

#include <atomic>

#include "base/assert.hpp"
#include "smp/context/context.hpp"
#include "smp/lockfree/member.hpp"

namespace tutti::smp {

struct RcuListNode {
    std::atomic<RcuListNode*> next{nullptr};  // readers follow it
    RcuListNode* previous = nullptr;          // the writer's; null while in no list
};

template <class T, RcuListNode T::*Member>
class RcuList {
  public:
    constexpr RcuList() = default;
    RcuList(RcuList const&) = delete;
    RcuList& operator=(RcuList const&) = delete;
    ~RcuList() { CHECK(empty_locked(), "an RCU list was destroyed with elements in it"); }

    // --- readers: function(T&) returns whether to go on. acquire: pairs with link() ---
    template <class Function>
    void for_each(NoPreempt const&, Function&& function) const {
        for (RcuListNode* node = head_.next.load(std::memory_order_acquire); node != nullptr && node != &head_;
             node = node->next.load(std::memory_order_acquire))
            if (!function(*object_of(node, Member))) return;
    }
    template <class Predicate>
    [[nodiscard]] T* find(NoPreempt const& reading, Predicate&& predicate) const {
        T* found = nullptr;
        for_each(reading, [&](T& element) {
            if (predicate(element)) found = &element;
            return found == nullptr;
        });
        return found;
    }

    // --- the writer ---
    void push_front(T& element) { link(element.*Member, ensure_head()); }
    void push_back(T& element) { link(element.*Member, *ensure_head().previous); }
    void insert_before(T& position, T& element) { link(element.*Member, *(position.*Member).previous); }
    void remove(T& element) {
        RcuListNode& node = element.*Member;
        CHECK(node.previous != nullptr, "removing an element that is in no list");
        RcuListNode* const next = node.next.load(std::memory_order_relaxed);
        next->previous = node.previous;
        // release: passes on the successor, which its own writer may have linked under another's lock.
        node.previous->next.store(next, std::memory_order_release);
        node.previous = nullptr;
    }
    void replace(T& old, T& fresh) {
        RcuListNode& node = old.*Member;
        RcuListNode& in_its_place = fresh.*Member;
        CHECK(node.previous != nullptr && in_its_place.previous == nullptr, "replacing an element that is in no list");
        RcuListNode* const next = node.next.load(std::memory_order_relaxed);
        in_its_place.next.store(next, std::memory_order_relaxed);
        in_its_place.previous = node.previous;
        next->previous = &in_its_place;
        // release: the new element is whole for who finds it.
        in_its_place.previous->next.store(&in_its_place, std::memory_order_release);
        node.previous = nullptr;
    }
    [[nodiscard]] bool empty_locked() const {
        RcuListNode const* const first = head_.next.load(std::memory_order_relaxed);
        return first == nullptr || first == &head_;
    }
    [[nodiscard]] T* front_locked() const {
        return empty_locked() ? nullptr : object_of(head_.next.load(std::memory_order_relaxed), Member);
    }
    [[nodiscard]] static bool is_linked_locked(T const& element) { return (element.*Member).previous != nullptr; }

  private:
    // The head links lazily, so that a list can be constant-initialised.
    RcuListNode& ensure_head() {
        if (head_.previous == nullptr) {
            head_.previous = &head_;
            head_.next.store(&head_, std::memory_order_relaxed);
        }
        return head_;
    }
    static void link(RcuListNode& node, RcuListNode& previous) {
        CHECK(node.previous == nullptr, "element is in a list already");
        RcuListNode* const next = previous.next.load(std::memory_order_relaxed);
        node.next.store(next, std::memory_order_relaxed);
        node.previous = &previous;
        next->previous = &node;
        // release: the element is whole for who finds it.
        previous.next.store(&node, std::memory_order_release);
    }

    RcuListNode head_;
};

struct RcuHashListNode {
    std::atomic<RcuHashListNode*> next{nullptr};
    std::atomic<RcuHashListNode*>* link = nullptr;  // the writer's: the word that leads here; null while in no list
};

template <class T, RcuHashListNode T::*Member>
class RcuHashList {
  public:
    constexpr RcuHashList() = default;
    RcuHashList(RcuHashList const&) = delete;
    RcuHashList& operator=(RcuHashList const&) = delete;
    ~RcuHashList() { CHECK(empty_locked(), "an RCU list was destroyed with elements in it"); }

    template <class Predicate>
    [[nodiscard]] T* find(NoPreempt const&, Predicate&& predicate) const {
        for (RcuHashListNode* node = head_.load(std::memory_order_acquire); node != nullptr;
             node = node->next.load(std::memory_order_acquire)) {
            T* const element = object_of(node, Member);
            if (predicate(*element)) return element;
        }
        return nullptr;
    }

    void push_front(T& element) { link(element.*Member, head_); }
    void remove(T& element) {
        RcuHashListNode& node = element.*Member;
        CHECK(node.link != nullptr, "removing an element that is in no list");
        RcuHashListNode* const next = node.next.load(std::memory_order_relaxed);
        if (next != nullptr) next->link = node.link;
        node.link->store(next, std::memory_order_release);  // as in RcuList
        node.link = nullptr;
    }
    void replace(T& old, T& fresh) {
        RcuHashListNode& node = old.*Member;
        RcuHashListNode& in_its_place = fresh.*Member;
        CHECK(node.link != nullptr && in_its_place.link == nullptr, "replacing an element that is in no list");
        RcuHashListNode* const next = node.next.load(std::memory_order_relaxed);
        in_its_place.next.store(next, std::memory_order_relaxed);
        in_its_place.link = node.link;
        if (next != nullptr) next->link = &in_its_place.next;
        node.link->store(&in_its_place, std::memory_order_release);  // as in RcuList
        node.link = nullptr;
    }
    [[nodiscard]] bool empty_locked() const { return head_.load(std::memory_order_relaxed) == nullptr; }

  private:
    static void link(RcuHashListNode& node, std::atomic<RcuHashListNode*>& word) {
        CHECK(node.link == nullptr, "element is in a list already");
        RcuHashListNode* const next = word.load(std::memory_order_relaxed);
        node.next.store(next, std::memory_order_relaxed);
        node.link = &word;
        if (next != nullptr) next->link = &node.next;
        word.store(&node, std::memory_order_release);
    }

    std::atomic<RcuHashListNode*> head_{nullptr};
};

}  // namespace tutti::smp
