// SPDX-License-Identifier: BSD-3-Clause
// The vDSO's image as a program sees it: found through its dynamic symbols, called with a data page of our own.
#include <gtest/gtest.h>

#include <elf.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "linux_abi/vdso/machine/machine.hpp"
#include "linux_abi/vdso/vdso_data.hpp"

namespace tutti::linux_abi::vdso {
namespace {

constexpr long kSecond = 1'000'000'000;

#define STRING(name) #name
#define STRING_OF(name) STRING(name)
constexpr char const* kClockGettime = STRING_OF(VDSO_FUNCTION(clock_gettime));
constexpr char const* kClockGetres = STRING_OF(VDSO_FUNCTION(clock_getres));
constexpr char const* kGettimeofday = STRING_OF(VDSO_FUNCTION(gettimeofday));
constexpr char const* kTime = STRING_OF(VDSO_FUNCTION(time));      // not on every architecture
constexpr char const* kGetcpu = STRING_OF(VDSO_FUNCTION(getcpu));  // nor this

// The image mapped behind a data page, as the kernel does it.
class MappedVdso {
  public:
    MappedVdso() {
        std::ifstream file{VDSO_IMAGE, std::ios::binary};
        std::vector<char> const bytes{std::istreambuf_iterator<char>{file}, {}};
        size_ = 4096 + (bytes.size() + 4095) / 4096 * 4096;
        void* const memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT_NE(memory, MAP_FAILED);
        data_ = new (memory) Data{};
        base_ = static_cast<char*>(memory) + 4096;
        std::memcpy(base_, bytes.data(), bytes.size());
        EXPECT_EQ(mprotect(base_, size_ - 4096, PROT_READ | PROT_EXEC), 0);
    }
    ~MappedVdso() { munmap(base_ - 4096, size_); }
    MappedVdso(MappedVdso const&) = delete;
    MappedVdso& operator=(MappedVdso const&) = delete;

    [[nodiscard]] Data& data() { return *data_; }
    [[nodiscard]] Elf64_Ehdr const& header() const { return *reinterpret_cast<Elf64_Ehdr const*>(base_); }
    [[nodiscard]] std::vector<Elf64_Phdr> program_headers() const {
        auto const* const table = reinterpret_cast<Elf64_Phdr const*>(base_ + header().e_phoff);
        return {table, table + header().e_phnum};
    }
    // As a C library finds it: DT_HASH, DT_SYMTAB, DT_STRTAB, DT_VERSYM, DT_VERDEF.
    template <class Function>
    [[nodiscard]] Function* find(std::string const& name) const {
        auto const* const count = dynamic<Elf64_Word>(DT_HASH);
        auto const* const symbols = dynamic<Elf64_Sym>(DT_SYMTAB);
        auto const* const names = dynamic<char>(DT_STRTAB);
        for (Elf64_Word i = 0; i < count[1]; ++i)
            if (names + symbols[i].st_name == name && version_of(i) == machine::kVersion)
                return reinterpret_cast<Function*>(base_ + symbols[i].st_value);
        return nullptr;
    }
    template <class T>
    [[nodiscard]] T const* dynamic(Elf64_Sxword tag) const {
        for (Elf64_Phdr const& entry : program_headers()) {
            if (entry.p_type != PT_DYNAMIC) continue;
            for (auto const* d = reinterpret_cast<Elf64_Dyn const*>(base_ + entry.p_vaddr); d->d_tag != DT_NULL; ++d)
                if (d->d_tag == tag) return reinterpret_cast<T const*>(base_ + d->d_un.d_ptr);
        }
        return nullptr;
    }

  private:
    [[nodiscard]] std::string version_of(Elf64_Word symbol) const {
        Elf64_Half const wanted = dynamic<Elf64_Half>(DT_VERSYM)[symbol] & 0x7fff;
        auto const* at = dynamic<char>(DT_VERDEF);
        for (;;) {
            auto const& definition = *reinterpret_cast<Elf64_Verdef const*>(at);
            auto const& name = *reinterpret_cast<Elf64_Verdaux const*>(at + definition.vd_aux);
            if (definition.vd_ndx == wanted && !(definition.vd_flags & VER_FLG_BASE))
                return dynamic<char>(DT_STRTAB) + name.vda_name;
            if (definition.vd_next == 0) return {};
            at += definition.vd_next;
        }
    }
    size_t size_ = 0;
    Data* data_ = nullptr;
    char* base_ = nullptr;
};

using ClockGettime = int(int, timespec*);
using GetCpu = long(unsigned*, unsigned*, void*);

TEST(VdsoImage, IsAModestSharedObject) {
    MappedVdso const vdso;
    ASSERT_EQ(std::memcmp(vdso.header().e_ident, ELFMAG, SELFMAG), 0);
    EXPECT_EQ(vdso.header().e_type, ET_DYN);
    int loads = 0;
    for (Elf64_Phdr const& entry : vdso.program_headers()) {
        if (entry.p_type == PT_LOAD) {
            ++loads;
            EXPECT_EQ(entry.p_offset, entry.p_vaddr) << "the file could not be mapped as it is";
            EXPECT_EQ(entry.p_flags, static_cast<Elf64_Word>(PF_R | PF_X));
            EXPECT_EQ(entry.p_filesz, entry.p_memsz);
        }
        EXPECT_NE(entry.p_type, static_cast<Elf64_Word>(PT_INTERP));
    }
    EXPECT_EQ(loads, 1);
    EXPECT_EQ(vdso.dynamic<void>(DT_RELA), nullptr);
    EXPECT_EQ(vdso.dynamic<void>(DT_REL), nullptr);
    EXPECT_EQ(vdso.dynamic<void>(DT_JMPREL), nullptr);
    EXPECT_EQ(vdso.dynamic<void>(DT_NEEDED), nullptr);
}

TEST(VdsoImage, HasTheFunctionsThatLibrariesLookFor) {
    MappedVdso const vdso;
    for (char const* const name : machine::kNames) EXPECT_NE(vdso.find<void()>(name), nullptr) << name;
    EXPECT_EQ(vdso.find<void()>("vdso_data"), nullptr) << "a local name is visible";
}

TEST(VdsoImage, ClocksFollowTheCounter) {
    MappedVdso vdso;
    std::uint64_t const base = machine::read_counter() - 12345;
    // 2.5 ns for each tick: values that do not fit 64 bits on the way for a counter of days.
    vdso.data() = {.sequence = 2, .flags = kCounterValid, .counter_base = base, .multiplier = 0xa0000000,
                   .shift = 30, .wall_offset = 1'700'000'000 * kSecond + 999'999'999};
    auto* const gettime = vdso.find<ClockGettime>(kClockGettime);
    ASSERT_NE(gettime, nullptr);
    auto const expected = [&] { return static_cast<long>((machine::read_counter() - base) * 5 / 2); };
    for (int const clock : {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
                            CLOCK_REALTIME, CLOCK_REALTIME_COARSE}) {
        bool const wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
        timespec now{};
        long const before = expected();
        ASSERT_EQ(gettime(clock, &now), 0);
        long const after = expected();
        EXPECT_TRUE(now.tv_nsec >= 0 && now.tv_nsec < kSecond);
        long const value = now.tv_sec * kSecond + now.tv_nsec - (wall ? vdso.data().wall_offset : 0);
        EXPECT_GE(value, before) << clock;
        EXPECT_LE(value, after) << clock;
    }
}

TEST(VdsoImage, LongUptimesDoNotOverflow) {
    MappedVdso vdso;
    constexpr std::uint64_t kTicks = std::uint64_t{3'000'000'000} * 86400 * 365 * 10;  // ten years at 3 GHz
    vdso.data() = {.sequence = 0, .flags = kCounterValid, .counter_base = machine::read_counter() - kTicks,
                   .multiplier = 0xaaaaaaab, .shift = 33, .wall_offset = 0};
    timespec now{};
    ASSERT_EQ(vdso.find<ClockGettime>(kClockGettime)(CLOCK_MONOTONIC, &now), 0);
    EXPECT_NEAR(static_cast<double>(now.tv_sec), 86400.0 * 365 * 10, 3600);
}

TEST(VdsoImage, TimesBefore1970AreNormalised) {
    MappedVdso vdso;
    vdso.data() = {.sequence = 0, .flags = kCounterValid, .counter_base = machine::read_counter(), .multiplier = 0, .shift = 0,
                   .wall_offset = -1};
    timespec now{};
    ASSERT_EQ(vdso.find<ClockGettime>(kClockGettime)(CLOCK_REALTIME, &now), 0);
    EXPECT_EQ(now.tv_sec, -1);
    EXPECT_EQ(now.tv_nsec, kSecond - 1);
}

TEST(VdsoImage, GettimeofdayAndTimeAgree) {
    MappedVdso vdso;
    vdso.data() = {.sequence = 0, .flags = kCounterValid, .counter_base = machine::read_counter(), .multiplier = 0, .shift = 0,
                   .wall_offset = 1234 * kSecond + 567'891'234};
    timeval now{};
    struct timezone zone {7, 7};
    auto* const gettimeofday_ = vdso.find<int(timeval*, struct timezone*)>(kGettimeofday);
    ASSERT_EQ(gettimeofday_(&now, &zone), 0);
    EXPECT_EQ(now.tv_sec, 1234);
    EXPECT_EQ(now.tv_usec, 567'891);
    EXPECT_EQ(zone.tz_minuteswest, 0);
    EXPECT_EQ(gettimeofday_(nullptr, nullptr), 0);
    long seconds = 0;
    auto* const time_ = vdso.find<long(long*)>(kTime);
    if (time_ == nullptr) return;
    EXPECT_EQ(time_(&seconds), 1234);
    EXPECT_EQ(seconds, 1234);
    EXPECT_EQ(time_(nullptr), 1234);
}

// The host's own system calls answer what the data page cannot.
TEST(VdsoImage, PassesOnWhatItDoesNotKnow) {
    MappedVdso vdso;  // no flags
    auto* const gettime = vdso.find<ClockGettime>(kClockGettime);
    timespec ours{}, hosts{};
    ASSERT_EQ(clock_gettime(CLOCK_MONOTONIC, &hosts), 0);
    ASSERT_EQ(gettime(CLOCK_MONOTONIC, &ours), 0);
    EXPECT_GE(ours.tv_sec, hosts.tv_sec);
    vdso.data().flags = kCounterValid;
    EXPECT_EQ(gettime(CLOCK_THREAD_CPUTIME_ID, &ours), 0);
    EXPECT_EQ(gettime(12345, &ours), -EINVAL);
    EXPECT_EQ(gettime(-1'000'000'000, &ours), -EINVAL);
    timespec resolution{};
    EXPECT_EQ(vdso.find<ClockGettime>(kClockGetres)(CLOCK_MONOTONIC, &resolution), 0);
    EXPECT_GT(resolution.tv_nsec, 0);
    unsigned cpu = ~0u, node = ~0u;
    auto* const getcpu_ = vdso.find<GetCpu>(kGetcpu);
    if (getcpu_ == nullptr) return;
    ASSERT_EQ(getcpu_(&cpu, &node, nullptr), 0);
    EXPECT_LT(cpu, static_cast<unsigned>(CPU_SETSIZE));
    EXPECT_EQ(getcpu_(nullptr, nullptr, nullptr), 0);
}

// A writer changes two fields that only make sense together; a reader never sees one of each.
TEST(VdsoImage, ReadersNeverSeeHalfAChange) {
    MappedVdso vdso;
    std::uint64_t const origin = machine::read_counter();
    vdso.data() = {.sequence = 0, .flags = kCounterValid, .counter_base = origin, .multiplier = 1, .shift = 0,
                   .wall_offset = 0};
    std::atomic<bool> stop{false};
    std::thread writer{[&] {
        for (std::uint64_t i = 1; !stop.load(std::memory_order_relaxed); ++i) {
            std::uint64_t const step = (i % 1000) << 44;
            Data& data = vdso.data();
            __atomic_store_n(&data.sequence, data.sequence + 1, __ATOMIC_RELAXED);
            __atomic_thread_fence(__ATOMIC_RELEASE);
            __atomic_store_n(&data.counter_base, origin - step, __ATOMIC_RELAXED);
            __atomic_store_n(&data.wall_offset, -static_cast<std::int64_t>(step), __ATOMIC_RELAXED);
            __atomic_store_n(&data.sequence, data.sequence + 1, __ATOMIC_RELEASE);
        }
    }};
    auto* const gettime = vdso.find<ClockGettime>(kClockGettime);
    for (int i = 0; i < 300000; ++i) {
        timespec now{};
        gettime(CLOCK_REALTIME, &now);
        long const value = now.tv_sec * kSecond + now.tv_nsec;
        long const truth = static_cast<long>(machine::read_counter() - origin);
        ASSERT_LE(value, truth + 1000000);
        ASSERT_GE(value, 0);
        ASSERT_LT(truth - value, 1L << 43);
    }
    stop.store(true, std::memory_order_relaxed);
    writer.join();
}

}  // namespace
}  // namespace tutti::linux_abi::vdso
