// SPDX-License-Identifier: BSD-3-Clause
// Intrusive red-black tree with the leftmost element cached: ordered sets without allocation, O(log n).
//
// Algorithm: Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", chapter 13. Equal keys keep the order
// of insertion. Less(a, b) orders elements; lower_bound takes any predicate that is monotonic over that order.
// Not synchronised: the lock that guards the tree guards every node in it.
#pragma once

#include "base/assert.hpp"

namespace tutti {

class RbNode {
  public:
    constexpr RbNode() = default;
    RbNode(RbNode const&) = delete;
    RbNode& operator=(RbNode const&) = delete;

    [[nodiscard]] bool is_linked() const { return linked_; }

  private:
    friend class RbTreeBase;
    template <class T, RbNode T::*Member, class Less>
    friend class RbTree;
    RbNode* parent_ = nullptr;
    RbNode* left_ = nullptr;
    RbNode* right_ = nullptr;
    bool red_ = false;
    bool linked_ = false;
};

// The part that does not depend on the element type.
class RbTreeBase {
  public:
    [[nodiscard]] bool empty() const { return root_ == nullptr; }
    [[nodiscard]] size_t size() const { return size_; }

  protected:
    constexpr RbTreeBase() = default;
    // Puts `node` at `*slot`, below `parent`, and rebalances.
    void attach(RbNode& node, RbNode* parent, RbNode** slot, bool leftmost);
    void detach(RbNode& node);
    void exchange_only(RbNode& out, RbNode& in);
    static RbNode* successor(RbNode* node);
    static RbNode* predecessor(RbNode* node);

    RbNode* root_ = nullptr;
    RbNode* leftmost_ = nullptr;
    size_t size_ = 0;

  private:
    void rotate_left(RbNode* node);
    void rotate_right(RbNode* node);
    void replace_child(RbNode* parent, RbNode* old_child, RbNode* new_child);
    void fix_after_remove(RbNode* node, RbNode* parent);
};

template <class T, RbNode T::*Member, class Less>
class RbTree : private RbTreeBase {
  public:
    constexpr RbTree() = default;
    RbTree(RbTree const&) = delete;
    RbTree& operator=(RbTree const&) = delete;
    ~RbTree() { ASSERT(empty(), "tree destroyed with elements in it"); }

    using RbTreeBase::empty;
    using RbTreeBase::size;

    ISR_SAFE void insert(T& element) {
        RbNode** slot = &root_;
        RbNode* parent = nullptr;
        bool leftmost = true;
        while (*slot != nullptr) {
            parent = *slot;
            if (Less{}(element, *element_of(parent))) {
                slot = &parent->left_;
            } else {
                slot = &parent->right_;
                leftmost = false;
            }
        }
        attach(element.*Member, parent, slot, leftmost);
    }
    ISR_SAFE void remove(T& element) { detach(element.*Member); }
    // remove(out) and insert(in) where `out` is the only element.
    ISR_SAFE void exchange_only(T& out, T& in) { RbTreeBase::exchange_only(out.*Member, in.*Member); }

    // Each of these is null where there is no such element.
    [[nodiscard]] ISR_SAFE T* first() const { return element_or_null(leftmost_); }
    [[nodiscard]] ISR_SAFE T* last() const {
        RbNode* node = root_;
        while (node != nullptr && node->right_ != nullptr) node = node->right_;
        return element_or_null(node);
    }
    [[nodiscard]] ISR_SAFE T* next(T& element) const { return element_or_null(successor(&(element.*Member))); }
    [[nodiscard]] ISR_SAFE T* previous(T& element) const { return element_or_null(predecessor(&(element.*Member))); }
    // The first element for which `is_before(element)` is false.
    template <class Predicate>
    [[nodiscard]] ISR_SAFE T* lower_bound(Predicate is_before) const {
        RbNode* node = root_;
        RbNode* found = nullptr;
        while (node != nullptr) {
            if (is_before(*element_of(node))) {
                node = node->right_;
            } else {
                found = node;
                node = node->left_;
            }
        }
        return element_or_null(found);
    }

    [[nodiscard]] static bool is_linked(T const& element) { return (element.*Member).is_linked(); }

  private:
    static T* element_of(RbNode* node) {
        auto const offset = reinterpret_cast<size_t>(&(reinterpret_cast<T*>(alignof(T))->*Member)) - alignof(T);
        return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
    }
    static T* element_or_null(RbNode* node) { return node == nullptr ? nullptr : element_of(node); }
};

}  // namespace tutti
