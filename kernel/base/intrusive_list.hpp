// SPDX-License-Identifier: BSD-3-Clause
// Doubly linked circular list whose links live in the elements: no allocation, O(1) removal of a known element.
//
// An element sits in one list per ListNode. The list owns nothing; an element must leave the list before it dies
// (checked in debug builds). Not synchronised: the lock that guards the list guards every node in it.
#pragma once

#include <cstddef>
#include <iterator>

#include "base/assert.hpp"

namespace tutti {

class ListNode {
  public:
    constexpr ListNode() = default;
    ListNode(ListNode const&) = delete;
    ListNode& operator=(ListNode const&) = delete;
    ~ListNode() { ASSERT(!is_linked(), "list element destroyed while linked"); }

    [[nodiscard]] bool is_linked() const { return next_ != nullptr; }

  private:
    template <class T, ListNode T::*Member>
    friend class IntrusiveList;
    ListNode* next_ = nullptr;
    ListNode* previous_ = nullptr;
};

template <class T, ListNode T::*Member>
class IntrusiveList {
  public:
    class Iterator {
      public:
        using iterator_category = std::bidirectional_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = T*;
        using reference = T&;

        Iterator() = default;
        T& operator*() const { return *element(node_); }
        T* operator->() const { return element(node_); }
        Iterator& operator++() { node_ = node_->next_; return *this; }
        Iterator operator++(int) { Iterator old{*this}; node_ = node_->next_; return old; }
        Iterator& operator--() { node_ = node_->previous_; return *this; }
        friend bool operator==(Iterator, Iterator) = default;

      private:
        friend class IntrusiveList;
        explicit Iterator(ListNode* node) : node_{node} {}
        ListNode* node_ = nullptr;
    };

    // The head links lazily, so that a list can be constant-initialised.
    constexpr IntrusiveList() = default;
    IntrusiveList(IntrusiveList const&) = delete;
    IntrusiveList& operator=(IntrusiveList const&) = delete;
    ~IntrusiveList() {
        ASSERT(empty(), "list destroyed with elements in it");
        head_.next_ = head_.previous_ = nullptr;
    }

    [[nodiscard]] bool empty() const { return head_.next_ == nullptr || head_.next_ == &head_; }
    [[nodiscard]] T& front() { ASSERT(!empty()); return *element(head_.next_); }
    [[nodiscard]] T& back() { ASSERT(!empty()); return *element(head_.previous_); }
    [[nodiscard]] T* front_or_null() { return empty() ? nullptr : element(head_.next_); }
    // The one behind `element`, or null.
    [[nodiscard]] T* next(T& before) {
        ListNode* const node = node_of(before).next_;
        return node == &head_ ? nullptr : element(node);
    }

    ISR_SAFE void push_back(T& element) { ensure_head(); link(node_of(element), *head_.previous_, head_); }
    ISR_SAFE void push_front(T& element) { ensure_head(); link(node_of(element), head_, *head_.next_); }
    // Places `element` before `position`, which is in this list.
    ISR_SAFE void insert_before(T& position, T& element) {
        ListNode& at = node_of(position);
        link(node_of(element), *at.previous_, at);
    }
    ISR_SAFE void remove(T& element) {
        ListNode& node = node_of(element);
        ASSERT(node.is_linked(), "removing an element that is in no list");
        node.previous_->next_ = node.next_;
        node.next_->previous_ = node.previous_;
        node.next_ = node.previous_ = nullptr;
    }
    // Null when the list is empty.
    ISR_SAFE T* pop_front() {
        if (empty()) return nullptr;
        T& first = front();
        remove(first);
        return &first;
    }
    // Moves every element of `other` to the end of this list, in order; O(1).
    void splice_back(IntrusiveList& other) {
        if (other.empty()) return;
        ensure_head();
        ListNode* const first = other.head_.next_;
        ListNode* const last = other.head_.previous_;
        first->previous_ = head_.previous_;
        head_.previous_->next_ = first;
        last->next_ = &head_;
        head_.previous_ = last;
        other.head_.next_ = other.head_.previous_ = &other.head_;
    }

    [[nodiscard]] static bool is_linked(T const& element) { return (element.*Member).is_linked(); }

    Iterator begin() { ensure_head(); return Iterator{head_.next_}; }
    Iterator end() { return Iterator{&head_}; }

  private:
    static ListNode& node_of(T& element) { return element.*Member; }
    static T* element(ListNode* node) {
        // The member's offset, computed on a suitably aligned address that is never dereferenced.
        auto const offset = reinterpret_cast<std::size_t>(&(reinterpret_cast<T*>(alignof(T))->*Member)) - alignof(T);
        return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
    }
    void ensure_head() {
        if (head_.next_ == nullptr) head_.next_ = head_.previous_ = &head_;
    }
    static void link(ListNode& node, ListNode& previous, ListNode& next) {
        ASSERT(!node.is_linked(), "element is in a list already");
        node.previous_ = &previous;
        node.next_ = &next;
        previous.next_ = &node;
        next.previous_ = &node;
    }

    ListNode head_;
};

}  // namespace tutti
