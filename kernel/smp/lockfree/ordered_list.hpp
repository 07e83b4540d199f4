// SPDX-License-Identifier: BSD-3-Clause
// Ordered singly linked list with compare-and-swap (Harris, "A Pragmatic Implementation of Non-Blocking Linked-Lists",
// DISC 2001; Michael, "High Performance Dynamic Lock-Free Hash Tables and List-Based Sets", SPAA 2002), reclaimed by RCU.
// The algorithm by itself: OrderedSet and RcuHashTable give it types.
//
//   link word:  address of the next node, 0 at the end;  bit 0: the node that *holds* this word is deleted
//
//   insert   find the place; node.next = the node behind it; swing the link in front of the place to the node
//   remove   find it; set the mark in its next word: it is deleted, and that word never changes again; then swing the link
//            in front over it. If that link has changed, search once more, which does the same for every marked node it meets
//   find     walk; write nothing
//
// Invariants. (1) A link changes only while its node is not marked: every change is a compare-and-swap from an unmarked word
// to the node seen behind it. (2) Nodes reachable from the head are in order; nodes with one key are never reachable twice
// unmarked: an insert swings exactly the link behind which its search found no such node. (3) When remove() returns, the
// node is unreachable from the head: its own exchange did that, or its last search passed the place, where it would have
// met the node. Who is still on it leaves it by its frozen next word, into the list or to a node that is left likewise.
//
// Progress: insert and remove lock-free; find wait-free but for nodes that are inserted in front of it. Any context up to
// Isr. ABA and reclamation: every call runs in a read section (rcu/rcu.hpp), and a node that was removed is reused or
// reinserted only after a grace period; so no address means two nodes within one call.
#pragma once

#include <atomic>
#include <concepts>

#include "base/types.hpp"

namespace tutti::smp {

struct OrderedNode {
    std::atomic<uptr> next{0};
};

// Where something belongs: `before(node)`: the node lies in front of it. `matches(node)`: asked of the first node that does
// not, whether that is it.
template <class Place, class Node>
concept OrderedPlace = requires(Place const& place, Node const& node) {
    { place.before(node) } -> std::same_as<bool>;
    { place.matches(node) } -> std::same_as<bool>;
};

// `Node` is OrderedNode or derived from it (first base).
template <class Node>
class OrderedList {
  public:
    // The node that matches, or null. `head` is a word of the list: the list's own, or the next word of a node that is not
    // removed and lies before the place.
    template <OrderedPlace<Node> Place>
    [[nodiscard]] static Node* find(std::atomic<uptr> const& head, Place const& place) {
        // acquire, here and below: pairs with the release of whoever linked the node; what is in it is visible.
        Node* node = node_in(head.load(std::memory_order_acquire));
        while (node != nullptr && place.before(*node)) node = node_in(node->next.load(std::memory_order_acquire));
        if (node == nullptr || !place.matches(*node)) return nullptr;
        return is_marked(node->next.load(std::memory_order_acquire)) ? nullptr : node;
    }

    // Links `node` at `place`, which is its own. Null: done; otherwise the node that is there already.
    template <OrderedPlace<Node> Place>
    [[nodiscard]] static Node* insert(std::atomic<uptr>& head, Node& node, Place const& place) {
        while (true) {
            Spot const spot = search(head, place);
            if (spot.node != nullptr && place.matches(*spot.node)) return spot.node;
            node.next.store(word_of(spot.node), std::memory_order_relaxed);  // published with the node
            uptr expected = word_of(spot.node);
            // release: publishes the node, and with it what it links to, which we acquired.
            if (spot.link->compare_exchange_strong(expected, word_of(&node), std::memory_order_release,
                                                   std::memory_order_relaxed))
                return nullptr;
        }
    }

    // Takes the node that matches out of the list. It is the caller's, to be reclaimed after a grace period; null when there
    // is none. Of several callers one gets it.
    template <OrderedPlace<Node> Place>
    [[nodiscard]] static Node* remove(std::atomic<uptr>& head, Place const& place) {
        while (true) {
            Spot const spot = search(head, place);
            if (spot.node == nullptr || !place.matches(*spot.node)) return nullptr;
            uptr next = spot.node->next.load(std::memory_order_acquire);
            // release: who finds the node deleted knows what we did before. Readers of the next node still synchronise with
            // whoever linked it: a read-modify-write continues that release.
            if (is_marked(next) || !spot.node->next.compare_exchange_strong(next, next | kMark, std::memory_order_release,
                                                                            std::memory_order_relaxed))
                continue;  // another was faster: it has the node, or something was inserted behind it
            uptr expected = word_of(spot.node);
            // release: passes on the next node, which we acquired.
            if (!spot.link->compare_exchange_strong(expected, next, std::memory_order_release, std::memory_order_relaxed))
                (void)search(head, place);
            return spot.node;
        }
    }

    // Calls function(node) for every node that is there all the time; others it may meet or miss. Until it returns false.
    template <class Function>
    static void for_each(std::atomic<uptr> const& head, Function&& function) {
        Node* node = node_in(head.load(std::memory_order_acquire));
        while (node != nullptr) {
            uptr const next = node->next.load(std::memory_order_acquire);
            if (!is_marked(next) && !function(*node)) return;
            node = node_in(next);
        }
    }

  private:
    static constexpr uptr kMark = 1;
    struct Spot {
        std::atomic<uptr>* link;  // led to `node` and was not marked
        Node* node;               // the first that does not lie before the place, not marked; null at the end
    };

    static bool is_marked(uptr word) { return (word & kMark) != 0; }
    static Node* node_in(uptr word) { return reinterpret_cast<Node*>(word & ~kMark); }
    static uptr word_of(Node* node) { return reinterpret_cast<uptr>(node); }

    // Finds the place and unlinks marked nodes on the way.
    template <class Place>
    static Spot search(std::atomic<uptr>& head, Place const& place) {
        while (true) {
            std::atomic<uptr>* link = &head;
            uptr word = link->load(std::memory_order_acquire);
            while (true) {
                Node* const node = node_in(word);
                if (node == nullptr) return {link, nullptr};
                uptr const next = node->next.load(std::memory_order_acquire);
                if (is_marked(next)) {
                    uptr expected = word;
                    // release: as in remove(). Fails when the link has changed, or its node is marked by now.
                    if (!link->compare_exchange_strong(expected, next & ~kMark, std::memory_order_release,
                                                       std::memory_order_relaxed))
                        break;
                    word = next & ~kMark;
                    continue;
                }
                if (!place.before(*node)) return {link, node};
                link = &node->next;
                word = next;
            }
        }
    }
};

}  // namespace tutti::smp
