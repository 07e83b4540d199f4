// SPDX-License-Identifier: BSD-3-Clause
// What a program can learn about itself and the system: identity, limits, auxiliary vector, /proc and /sys.
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.hpp"

using namespace tutti::check;

namespace {
bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }
}  // namespace

TEST(uname_fields) {
    utsname name{};
    CHECK_OK(uname(&name));
    CHECK(strcmp(name.sysname, "Linux") == 0);
#ifdef __x86_64__
    CHECK(strcmp(name.machine, "x86_64") == 0);
#else
    CHECK(strcmp(name.machine, "aarch64") == 0);
#endif
    CHECK(name.release[0] >= '3' && strchr(name.release, '.'));  // C libraries refuse old kernels by this
    CHECK(name.nodename[0] != 0 && name.version[0] != 0);
    char host[256];
    CHECK_OK(gethostname(host, sizeof host));
    CHECK(strcmp(host, name.nodename) == 0);
}

TEST(identities) {
    CHECK(getpid() > 0);
    CHECK_EQ(getpid(), thread_id());
    CHECK(getppid() >= 0);
    CHECK_EQ(getuid(), geteuid());
    CHECK_EQ(getgid(), getegid());
    pid_t other = 0;
    Thread([&] { other = thread_id(); }).join();
    CHECK(other != getpid() && other > 0);
    uid_t real, effective, saved;
    CHECK_OK(getresuid(&real, &effective, &saved));
    CHECK_EQ(real, getuid());
    CHECK(getpgrp() >= 0);
    CHECK(getsid(0) >= 0);
    CHECK_OK(getgroups(0, nullptr));
}

TEST(memory_figures) {
    struct sysinfo information {};
    CHECK_OK(sysinfo(&information));
    const unsigned long total = information.totalram * information.mem_unit;
    CHECK(total >= 8ul << 20);
    CHECK(information.freeram <= information.totalram);
    CHECK(information.uptime >= 0);
    CHECK(information.procs >= 1);
    const std::string text = read_file("/proc/meminfo");
    unsigned long in_file = 0;
    const std::size_t at = text.find("MemTotal:");
    REQUIRE(at != std::string::npos);
    CHECK_EQ(sscanf(text.c_str() + at, "MemTotal: %lu kB", &in_file), 1);
    CHECK_EQ(in_file, total / 1024);
    CHECK(contains(text, "MemFree:") && contains(text, "MemAvailable:"));
    CHECK_EQ(sysconf(_SC_PHYS_PAGES), (long)(total / 4096));
    CHECK_EQ(sysconf(_SC_PAGESIZE), 4096);
}

TEST(random_bytes) {
    unsigned char a[64] = {}, b[64] = {};
    CHECK_EQ(getrandom(a, 64, 0), 64);
    CHECK_EQ(getrandom(b, 64, GRND_NONBLOCK), 64);
    CHECK(memcmp(a, b, 64) != 0);
    CHECK_EQ(getrandom(a, 0, 0), 0);
    CHECK_ERR(getrandom(a, 8, 0x100), EINVAL);
    CHECK_ERR(syscall(SYS_getrandom, 8, 16, 0), EFAULT);
    std::vector<unsigned char> large(100'000);
    CHECK_EQ(getrandom(large.data(), large.size(), 0), (ssize_t)large.size());
    int counts[256] = {};
    for (unsigned char byte : large) ++counts[byte];
    double chi_square = 0;
    const double expected = large.size() / 256.0;
    for (int count : counts) chi_square += (count - expected) * (count - expected) / expected;
    CHECK(chi_square > 120 && chi_square < 450);  // 255 degrees of freedom: 8 standard deviations
}

TEST(auxiliary_vector) {
    CHECK_EQ(getauxval(AT_PAGESZ), 4096u);
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK(getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) > 0);
    CHECK(getauxval(AT_ENTRY) != 0);
    CHECK_EQ(getauxval(AT_CLKTCK), 100u);
    CHECK_EQ(getauxval(AT_SECURE), 0u);
    const unsigned char* random = reinterpret_cast<const unsigned char*>(getauxval(AT_RANDOM));
    REQUIRE(random != nullptr);
    int zeros = 0;
    for (int i = 0; i < 16; ++i) zeros += random[i] == 0;
    CHECK(zeros < 8);
    const char* file = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    CHECK(file && file[0] != 0);
    const unsigned char* vdso = reinterpret_cast<const unsigned char*>(getauxval(AT_SYSINFO_EHDR));
    CHECK(vdso && memcmp(vdso, "\177ELF", 4) == 0);
}

TEST(the_stack_at_entry_is_aligned) {
    alignas(64) char block[64];
    CHECK_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    CHECK(environ != nullptr);
}

TEST(thread_names) {
    char name[16] = {};
    CHECK_OK(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK(strcmp(name, "a-name-that-is-") == 0);
    CHECK(read_file("/proc/self/comm") == "a-name-that-is-\n");
    Thread([&] {
        char own[16] = {};
        CHECK_OK(prctl(PR_SET_NAME, "worker"));
        CHECK_OK(prctl(PR_GET_NAME, own));
        CHECK(strcmp(own, "worker") == 0);
        CHECK(read_file("/proc/self/task/" + std::to_string(thread_id()) + "/comm") == "worker\n");
    }).join();
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK(strcmp(name, "a-name-that-is-") == 0);
    CHECK_ERR(prctl(99999, 0, 0, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
    CHECK_OK(prctl(PR_SET_PDEATHSIG, 0));
}

TEST(limits) {
    rlimit limit{};
    CHECK_OK(getrlimit(RLIMIT_STACK, &limit));
    CHECK(limit.rlim_cur >= 1u << 20);
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(limit.rlim_cur >= 256 && limit.rlim_cur <= limit.rlim_max);
    rlimit lower = limit;
    lower.rlim_cur = limit.rlim_cur - 1;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &lower));
    rlimit seen{};
    CHECK_OK(prlimit(0, RLIMIT_NOFILE, &limit, &seen));
    CHECK_EQ(seen.rlim_cur, lower.rlim_cur);
    lower.rlim_cur = 10;
    lower.rlim_max = 5;
    CHECK_ERR(setrlimit(RLIMIT_NOFILE, &lower), EINVAL);
    CHECK_ERR(getrlimit(static_cast<__rlimit_resource_t>(99), &seen), EINVAL);
    CHECK(contains(read_file("/proc/self/limits"), "Max open files"));
}

TEST(proc_self_files) {
    const std::string status = read_file("/proc/self/status");
    CHECK(contains(status, "Name:\t"));
    CHECK(contains(status, ("Pid:\t" + std::to_string(getpid()) + "\n").c_str()));
    CHECK(contains(status, "VmRSS:") && contains(status, "Threads:\t") && contains(status, "Cpus_allowed"));
    const std::string numbers = read_file("/proc/self/stat");
    CHECK_EQ(atoi(numbers.c_str()), getpid());
    int fields = 0;
    for (char ch : numbers) fields += ch == ' ';
    CHECK(fields >= 40);
    long pages[7] = {};
    CHECK_EQ(sscanf(read_file("/proc/self/statm").c_str(), "%ld %ld %ld %ld %ld %ld %ld", &pages[0], &pages[1], &pages[2], &pages[3],
                    &pages[4], &pages[5], &pages[6]),
             7);
    CHECK(pages[0] >= pages[1] && pages[1] > 0);
    const std::string command_line = read_file("/proc/self/cmdline");
    CHECK(command_line.size() > 1 && command_line.back() == 0);
    char path[PATH_MAX] = {};
    CHECK_OK(readlink("/proc/self/exe", path, sizeof path - 1));
    struct stat by_link {}, by_name {};
    CHECK_OK(stat("/proc/self/exe", &by_link));
    CHECK_OK(stat(path, &by_name));
    CHECK_EQ(by_link.st_ino, by_name.st_ino);
}

TEST(proc_self_task_lists_threads) {
    const std::string before = read_file("/proc/self/status");
    Thread other([] { sleep_ms(200); });
    struct stat status {};
    CHECK_OK(stat(("/proc/self/task/" + std::to_string(other.tid())).c_str(), &status));
    CHECK(contains(read_file("/proc/self/status"), "Threads:\t"));
    const pid_t gone = other.tid();
    other.join();
    CHECK(eventually([&] { return stat(("/proc/self/task/" + std::to_string(gone)).c_str(), &status) != 0; }));
}

TEST(system_files_that_programs_read) {
    CHECK(contains(read_file("/proc/version"), "Linux version"));
    double up = 0, idle = 0;
    CHECK_EQ(sscanf(read_file("/proc/uptime").c_str(), "%lf %lf", &up, &idle), 2);
    CHECK(up > 0);
    CHECK(!read_file("/proc/loadavg").empty());
    CHECK(contains(read_file("/proc/stat"), "cpu "));
    CHECK(contains(read_file("/proc/filesystems"), "proc"));
    CHECK(atoi(read_file("/proc/sys/kernel/pid_max").c_str()) >= 1000);
    CHECK(read_file("/proc/sys/kernel/ostype") == "Linux\n");
    const std::string overcommit = read_file("/proc/sys/vm/overcommit_memory");
    CHECK(overcommit.size() >= 1 && overcommit[0] >= '0' && overcommit[0] <= '2');
    CHECK(atoi(read_file("/proc/sys/vm/max_map_count").c_str()) >= 1000);
    CHECK(contains(read_file("/proc/self/mounts"), " /proc "));
    CHECK_ERR(open("/proc/no-such-entry", O_RDONLY), ENOENT);
    CHECK_ERR(open("/proc/self/no-such-entry", O_RDONLY), ENOENT);
}

TEST(files_without_a_size_can_be_read_in_pieces) {
    const std::string whole = read_file("/proc/self/status");
    const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    std::string first(10, 0);
    CHECK_EQ(read(fd, first.data(), 10), 10);
    CHECK(whole.compare(0, 10, first) == 0);
    CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
    char byte = 0;
    CHECK_EQ(read(fd, &byte, 1), 1);
    CHECK_EQ(byte, whole[5]);
    close(fd);
}

TEST(cpu_topology_in_sys) {
    const std::string online = read_file("/sys/devices/system/cpu/online");
    CHECK(online.size() >= 2 && online[0] == '0');
    struct stat status {};
    CHECK_OK(stat("/sys/devices/system/cpu/cpu0", &status));
}

TEST(membarrier_or_none) {
    const long commands = syscall(SYS_membarrier, 0, 0, 0);
    if (commands == -1) {
        CHECK_EQ(errno, ENOSYS);
        return skip("membarrier is missing");
    }
    if (commands & 8) {  // PRIVATE_EXPEDITED
        CHECK_ERR(syscall(SYS_membarrier, 8, 0, 0), EPERM);
        CHECK_OK(syscall(SYS_membarrier, 16, 0, 0));
        CHECK_OK(syscall(SYS_membarrier, 8, 0, 0));
    }
}

TEST(unknown_system_calls) {
    CHECK_ERR(syscall(999), ENOSYS);
    CHECK_ERR(syscall(-1), ENOSYS);
    CHECK_ERR(syscall(0x7fffffff), ENOSYS);
}

#ifdef __aarch64__
TEST(features_of_the_cpu) {
    struct Feature {
        const char* name;
        unsigned long bit;
        int word;
    };
    // What arm64's elf_hwcaps names; what the kernel does not offer must be in neither place.
    const Feature features[] = {
        {"fp", HWCAP_FP, 1}, {"asimd", HWCAP_ASIMD, 1}, {"evtstrm", HWCAP_EVTSTRM, 1}, {"aes", HWCAP_AES, 1},
        {"pmull", HWCAP_PMULL, 1}, {"sha1", HWCAP_SHA1, 1}, {"sha2", HWCAP_SHA2, 1}, {"crc32", HWCAP_CRC32, 1},
        {"atomics", HWCAP_ATOMICS, 1}, {"fphp", HWCAP_FPHP, 1}, {"asimdhp", HWCAP_ASIMDHP, 1}, {"cpuid", HWCAP_CPUID, 1},
        {"asimdrdm", HWCAP_ASIMDRDM, 1}, {"jscvt", HWCAP_JSCVT, 1}, {"fcma", HWCAP_FCMA, 1}, {"lrcpc", HWCAP_LRCPC, 1},
        {"dcpop", HWCAP_DCPOP, 1}, {"sha3", HWCAP_SHA3, 1}, {"sm3", HWCAP_SM3, 1}, {"sm4", HWCAP_SM4, 1},
        {"asimddp", HWCAP_ASIMDDP, 1}, {"sha512", HWCAP_SHA512, 1}, {"sve", HWCAP_SVE, 1}, {"asimdfhm", HWCAP_ASIMDFHM, 1},
        {"dit", HWCAP_DIT, 1}, {"uscat", HWCAP_USCAT, 1}, {"ilrcpc", HWCAP_ILRCPC, 1}, {"flagm", HWCAP_FLAGM, 1},
        {"ssbs", HWCAP_SSBS, 1}, {"sb", HWCAP_SB, 1}, {"paca", HWCAP_PACA, 1}, {"pacg", HWCAP_PACG, 1},
        {"dcpodp", HWCAP2_DCPODP, 2}, {"flagm2", HWCAP2_FLAGM2, 2}, {"frint", HWCAP2_FRINT, 2}, {"i8mm", HWCAP2_I8MM, 2},
        {"bf16", HWCAP2_BF16, 2}, {"dgh", HWCAP2_DGH, 2}, {"rng", HWCAP2_RNG, 2}, {"bti", HWCAP2_BTI, 2}};
    const std::string text = read_file("/proc/cpuinfo");
    const size_t start = text.find("Features\t:");
    REQUIRE(start != std::string::npos);
    const std::string line = text.substr(start, text.find('\n', start) - start) + " ";
    for (const Feature& feature : features) {
        const bool told = (getauxval(feature.word == 1 ? AT_HWCAP : AT_HWCAP2) & feature.bit) != 0;
        if (told != (line.find(std::string(" ") + feature.name + " ") != std::string::npos))
            fail(__FILE__, __LINE__, "%s: in the auxiliary vector %d", feature.name, told);
    }
    CHECK((getauxval(AT_HWCAP) & (HWCAP_FP | HWCAP_ASIMD)) == (HWCAP_FP | HWCAP_ASIMD));
    CHECK(strcmp(reinterpret_cast<const char*>(getauxval(AT_PLATFORM)), "aarch64") == 0);
    // A CPU that is said to have the instructions runs them.
    if (getauxval(AT_HWCAP) & HWCAP_ATOMICS) {
        long word = 1, before = 0;
        asm volatile(".arch_extension lse\n\tldadd %2, %0, %1" : "=&r"(before), "+Q"(word) : "r"(4l) : "memory");
        CHECK_EQ(word, 5);
        CHECK_EQ(before, 1);
    }
    if (getauxval(AT_HWCAP) & HWCAP_CRC32) {
        unsigned sum = 0;
        asm volatile(".arch_extension crc\n\tcrc32b %w0, %w0, %w1" : "+r"(sum) : "r"(1u));
        CHECK_EQ(sum, 0x77073096u);
    }
}
#endif

int main(int argc, char** argv) { return run_all(argc, argv); }
