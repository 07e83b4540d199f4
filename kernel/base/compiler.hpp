// SPDX-License-Identifier: BSD-3-Clause
// Compiler facts and the Clang thread-safety annotations: the only portable file that may test the compiler.
#pragma once

#include <cstddef>

#include "base/isr_marks.hpp"

#if defined(__clang__)
#define TUTTI_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TUTTI_THREAD_ANNOTATION(x)  // GCC has no thread-safety analysis
#endif

#define CAPABILITY(name) TUTTI_THREAD_ANNOTATION(capability(name))
#define SCOPED_CAPABILITY TUTTI_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(lock) TUTTI_THREAD_ANNOTATION(guarded_by(lock))
#define PT_GUARDED_BY(lock) TUTTI_THREAD_ANNOTATION(pt_guarded_by(lock))
#define REQUIRES(...) TUTTI_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) TUTTI_THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define ACQUIRE(...) TUTTI_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) TUTTI_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) TUTTI_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) TUTTI_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) TUTTI_THREAD_ANNOTATION(release_generic_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) TUTTI_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE_SHARED(...) TUTTI_THREAD_ANNOTATION(try_acquire_shared_capability(__VA_ARGS__))
#define EXCLUDES(...) TUTTI_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ASSERT_CAPABILITY(...) TUTTI_THREAD_ANNOTATION(assert_capability(__VA_ARGS__))
#define RETURN_CAPABILITY(x) TUTTI_THREAD_ANNOTATION(lock_returned(x))
#define NO_THREAD_SAFETY_ANALYSIS TUTTI_THREAD_ANNOTATION(no_thread_safety_analysis)

#if defined(__FILE_NAME__)
#define TUTTI_FILE_NAME __FILE_NAME__
#else
#define TUTTI_FILE_NAME __FILE__
#endif

#define ALWAYS_INLINE [[gnu::always_inline]] inline
#define NOINLINE [[gnu::noinline]]

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TUTTI_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TUTTI_SANITIZED 1
#endif
#endif
#ifndef TUTTI_SANITIZED
#define TUTTI_SANITIZED 0
#endif

namespace tutti {

// Bytes that two CPUs must not share when they write to different variables. One line on x86_64 and on the
// Arm64 cores that we know; adjacent-line prefetch is not worth doubling every structure.
inline constexpr std::size_t kCacheLine = 64;

#if defined(TUTTI_DEBUG) && TUTTI_DEBUG
inline constexpr bool kDebugBuild = true;
#else
inline constexpr bool kDebugBuild = false;
#endif

// Tells AddressSanitizer, where it is built in, which bytes nobody may touch: memory that an allocator holds. Only whole
// groups of eight bytes are hidden.
#if defined(TUTTI_HOSTED_ASAN)
}  // namespace tutti
extern "C" void __asan_poison_memory_region(void const volatile* from, std::size_t size);
extern "C" void __asan_unpoison_memory_region(void const volatile* from, std::size_t size);
namespace tutti {
inline void hide_memory(void const* from, std::size_t size) { __asan_poison_memory_region(from, size); }
inline void show_memory(void const* from, std::size_t size) { __asan_unpoison_memory_region(from, size); }
#else
inline void hide_memory(void const*, std::size_t) {}
inline void show_memory(void const*, std::size_t) {}
#endif

// Keeps the compiler from moving memory accesses over this point; the CPU may still do so.
ALWAYS_INLINE void compiler_barrier() { asm volatile("" ::: "memory"); }

}  // namespace tutti
