// SPDX-License-Identifier: BSD-3-Clause
// Reference-counted search and delete: the way for users who must sleep while they use what they found.
//
//   find     in a read section: look up, then take a reference unless the count is zero already (RefCounted::try_get)
//   remove   unlink, drop the table's reference
//   put      the last one: the object is deleted after a grace period, as a finder may be between look-up and try_get
//
// So an object stays whole as long as somebody holds it, wherever and however long, and its memory a grace period longer.
//
//   struct File : RcuRefCounted<File> { RcuHashNode node; u64 id; };
//   RefTable<File, &File::node, Traits> files;      Ref<File> file = files.find(7);
//
// Progress and contexts: those of RcuHashTable, up to Isr; the destructor runs as a deferred callback (rcu/rcu.hpp).
#pragma once

#include "base/ref.hpp"
#include "smp/lockfree/member.hpp"
#include "smp/rcu/rcu_hash_table.hpp"

namespace tutti::smp {

// RefCounted whose memory outlives the last put() by a grace period. The count is zero from then on.
template <class T>
class RcuRefCounted : public RefCounted<T> {
  public:
    static void operator delete(RcuRefCounted<T>* object, std::destroying_delete_t) {
        rcu::defer(object->reclaim_, [](rcu::Callback& callback) {
            T* const dead = static_cast<T*>(object_of(&callback, &RcuRefCounted::reclaim_));
            dead->~T();
            if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
                ::operator delete(static_cast<void*>(dead), std::align_val_t{alignof(T)});
            else
                ::operator delete(static_cast<void*>(dead));
        });
    }

  private:
    rcu::Callback reclaim_;
};

template <class T, RcuHashNode T::*Member, class Traits>
class RefTable {
  public:
    using Table = RcuHashTable<T, Member, Traits>;
    using Key = typename Table::Key;

    // As RcuHashTable::create().
    [[nodiscard]] static Result<RefTable> create(u64 elements = 2) { return RefTable{TRY(Table::create(elements))}; }
    RefTable(RefTable&&) noexcept = default;

    // Null when there is none, or it is just going away.
    [[nodiscard]] Ref<T> find(Key const& key) const {
        rcu::ReadGuard const reading;
        T* const object = table_.find(key, reading);
        return object != nullptr && object->try_get() ? Ref<T>::adopt(object) : Ref<T>{};
    }
    // The table holds a reference of its own. Error::Exists. Once in an object's life.
    [[nodiscard]] Result<> insert(T& object) {
        rcu::ReadGuard const reading;
        object.get();
        if (table_.insert(object, reading) == nullptr) return {};
        object.put();
        return fail(Error::Exists);
    }
    // The table's reference goes to the caller. Null when there is none.
    [[nodiscard]] Ref<T> remove(Key const& key) {
        rcu::ReadGuard const reading;
        return Ref<T>::adopt(table_.remove(key, reading));
    }
    // Inside one read section: function(T&) must not block; it takes a reference if it keeps the object.
    template <class Function>
    void for_each(Function&& function) const {
        rcu::ReadGuard const reading;
        table_.for_each(reading, function);
    }
    [[nodiscard]] Result<> resize(u64 elements) { return table_.resize(elements); }
    [[nodiscard]] u64 count() const { return table_.count(); }

  private:
    explicit RefTable(Table table) : table_{std::move(table)} {}
    Table table_;
};

}  // namespace tutti::smp
