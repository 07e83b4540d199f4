// SPDX-License-Identifier: BSD-3-Clause
#include "base/rb_tree.hpp"

namespace tutti {

ISR_SAFE void RbTreeBase::replace_child(RbNode* parent, RbNode* old_child, RbNode* new_child) {
    if (parent == nullptr)
        root_ = new_child;
    else if (parent->left_ == old_child)
        parent->left_ = new_child;
    else
        parent->right_ = new_child;
}

ISR_SAFE void RbTreeBase::rotate_left(RbNode* node) {
    RbNode* const pivot = node->right_;
    node->right_ = pivot->left_;
    if (pivot->left_ != nullptr) pivot->left_->parent_ = node;
    pivot->parent_ = node->parent_;
    replace_child(node->parent_, node, pivot);
    pivot->left_ = node;
    node->parent_ = pivot;
}

ISR_SAFE void RbTreeBase::rotate_right(RbNode* node) {
    RbNode* const pivot = node->left_;
    node->left_ = pivot->right_;
    if (pivot->right_ != nullptr) pivot->right_->parent_ = node;
    pivot->parent_ = node->parent_;
    replace_child(node->parent_, node, pivot);
    pivot->right_ = node;
    node->parent_ = pivot;
}

ISR_SAFE void RbTreeBase::attach(RbNode& inserted, RbNode* parent, RbNode** slot, bool leftmost) {
    ASSERT(!inserted.linked_, "element is in a tree already");
    inserted.parent_ = parent;
    inserted.left_ = inserted.right_ = nullptr;
    inserted.red_ = true;
    inserted.linked_ = true;
    *slot = &inserted;
    if (leftmost) leftmost_ = &inserted;
    ++size_;

    RbNode* node = &inserted;
    while (node->parent_ != nullptr && node->parent_->red_) {
        RbNode* up = node->parent_;
        RbNode* const grand = up->parent_;  // exists: a red node is never the root
        bool const up_is_left = grand->left_ == up;
        RbNode* const uncle = up_is_left ? grand->right_ : grand->left_;
        if (uncle != nullptr && uncle->red_) {
            up->red_ = uncle->red_ = false;
            grand->red_ = true;
            node = grand;
            continue;
        }
        if (up_is_left) {
            if (node == up->right_) {
                rotate_left(up);
                up = node;
            }
            up->red_ = false;
            grand->red_ = true;
            rotate_right(grand);
        } else {
            if (node == up->left_) {
                rotate_right(up);
                up = node;
            }
            up->red_ = false;
            grand->red_ = true;
            rotate_left(grand);
        }
        break;
    }
    root_->red_ = false;
}

ISR_SAFE void RbTreeBase::detach(RbNode& removed) {
    ASSERT(removed.linked_, "removing an element that is in no tree");
    RbNode* const node = &removed;
    if (leftmost_ == node) leftmost_ = successor(node);

    RbNode* child = nullptr;
    RbNode* parent = nullptr;
    bool removed_red = false;
    if (node->left_ != nullptr && node->right_ != nullptr) {
        RbNode* next = node->right_;
        while (next->left_ != nullptr) next = next->left_;
        removed_red = next->red_;
        child = next->right_;
        if (next->parent_ == node) {
            parent = next;
        } else {
            parent = next->parent_;
            parent->left_ = child;
            if (child != nullptr) child->parent_ = parent;
            next->right_ = node->right_;
            next->right_->parent_ = next;
        }
        next->left_ = node->left_;
        next->left_->parent_ = next;
        next->parent_ = node->parent_;
        next->red_ = node->red_;
        replace_child(node->parent_, node, next);
    } else {
        child = node->left_ != nullptr ? node->left_ : node->right_;
        parent = node->parent_;
        removed_red = node->red_;
        if (child != nullptr) child->parent_ = parent;
        replace_child(parent, node, child);
    }
    if (!removed_red) fix_after_remove(child, parent);
    node->parent_ = node->left_ = node->right_ = nullptr;
    node->linked_ = false;
    --size_;
}

ISR_SAFE void RbTreeBase::exchange_only(RbNode& out, RbNode& in) {
    ASSERT(out.linked_ && size_ == 1 && !in.linked_);
    out.linked_ = false;
    in.parent_ = in.left_ = in.right_ = nullptr;
    in.red_ = false;
    in.linked_ = true;
    root_ = leftmost_ = &in;
}

// `node` (possibly null) carries one black too few; push the deficit up or repair it by rotation.
ISR_SAFE void RbTreeBase::fix_after_remove(RbNode* node, RbNode* parent) {
    auto const is_black = [](RbNode* n) { return n == nullptr || !n->red_; };
    while (parent != nullptr && is_black(node)) {
        bool const left = parent->left_ == node;
        RbNode* sibling = left ? parent->right_ : parent->left_;  // exists: black heights differ
        if (sibling->red_) {
            sibling->red_ = false;
            parent->red_ = true;
            left ? rotate_left(parent) : rotate_right(parent);
            sibling = left ? parent->right_ : parent->left_;
        }
        RbNode* const far = left ? sibling->right_ : sibling->left_;
        RbNode* const near = left ? sibling->left_ : sibling->right_;
        if (is_black(far) && is_black(near)) {
            sibling->red_ = true;
            node = parent;
            parent = node->parent_;
            continue;
        }
        if (is_black(far)) {
            near->red_ = false;
            sibling->red_ = true;
            left ? rotate_right(sibling) : rotate_left(sibling);
            sibling = left ? parent->right_ : parent->left_;
        }
        sibling->red_ = parent->red_;
        parent->red_ = false;
        (left ? sibling->right_ : sibling->left_)->red_ = false;
        left ? rotate_left(parent) : rotate_right(parent);
        return;
    }
    if (node != nullptr) node->red_ = false;
}

ISR_SAFE RbNode* RbTreeBase::successor(RbNode* node) {
    if (node->right_ != nullptr) {
        node = node->right_;
        while (node->left_ != nullptr) node = node->left_;
        return node;
    }
    while (node->parent_ != nullptr && node->parent_->right_ == node) node = node->parent_;
    return node->parent_;
}

ISR_SAFE RbNode* RbTreeBase::predecessor(RbNode* node) {
    if (node->left_ != nullptr) {
        node = node->left_;
        while (node->right_ != nullptr) node = node->right_;
        return node;
    }
    while (node->parent_ != nullptr && node->parent_->left_ == node) node = node->parent_;
    return node->parent_;
}

}  // namespace tutti
