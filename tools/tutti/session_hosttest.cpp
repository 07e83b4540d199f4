// SPDX-License-Identifier: BSD-3-Clause
// `tutti run` as a whole, with a fake guest in QEMU's place: streams, signals, limits, results and failures.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "accelerator.hpp"
#include "machine.hpp"
#include "platform.hpp"
#include "cli_error.hpp"
#include "test_directory.hpp"

namespace tutti::cli {
namespace {

using namespace std::chrono_literals;

struct Outcome {
    int status = -1;
    std::string out;
    std::string err;
};

class Session : public ::testing::Test {
  protected:
    Session() {
        std::filesystem::create_directories(directory.path() + "/bin");
        std::filesystem::create_symlink(TUTTI_FAKE_GUEST, directory.path() + "/bin/qemu-system-x86_64");
        directory.write("kernel", "");
        directory.write("in", "");
    }

    // Starts `tutti run ... --append SCENARIO -- /bin/true` with files as standard streams.
    pid_t start(std::string const& scenario, std::vector<std::string> const& options = {}) {
        std::vector<std::string> words{TUTTI_BINARY, "run", "--kernel", directory.path() + "/kernel", "--append", scenario};
        words.insert(words.end(), options.begin(), options.end());
        for (char const* word : {"--", "/bin/true", "argument"}) words.emplace_back(word);
        pid_t const pid = ::fork();
        if (pid != 0) return pid;
        auto const redirect = [&](char const* name, int flags, int fd) {
            ::dup2(::open((directory.path() + "/" + name).c_str(), flags | O_CREAT, 0600), fd);
        };
        redirect("in", O_RDONLY, 0);
        redirect("out", O_WRONLY | O_TRUNC, 1);
        redirect("err", O_WRONLY | O_TRUNC, 2);
        ::setenv("PATH", (directory.path() + "/bin:/usr/bin:/bin").c_str(), 1);
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        ::execv(argv[0], argv.data());
        ::_exit(126);
    }
    Outcome finish(pid_t pid) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), directory.read("out"), directory.read("err")};
    }
    Outcome run(std::string const& scenario, std::vector<std::string> const& options = {}) {
        return finish(start(scenario, options));
    }
    void wait_for(std::string const& name, std::string const& text) {
        for (int i = 0; i < 500 && directory.read(name).find(text) == std::string::npos; ++i) std::this_thread::sleep_for(10ms);
    }
    static bool has(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

    TestDirectory directory;
};

TEST_F(Session, PassesOutputUnalteredAndTheStatus) {
    Outcome const outcome = run("hello");
    EXPECT_EQ(outcome.status, 7);
    EXPECT_EQ(outcome.out, std::string("out\0\xff\n", 6));
    EXPECT_EQ(outcome.err, "err\ntutti: a note\n");
}

TEST_F(Session, ShowsTheKernelLogWhenAsked) { EXPECT_TRUE(has(run("hello", {"--verbose"}).err, "kernel: booted\n")); }

TEST_F(Session, ReportsTheSummary) {
    Outcome const outcome = run("hello", {"--summary", "--summary-file", directory.path() + "/summary"});
    EXPECT_TRUE(has(outcome.err, "75.0 %")) << outcome.err;
    auto const json = nlohmann::json::parse(directory.read("summary"));
    EXPECT_EQ(json["status"], 7);
    EXPECT_EQ(json["guest_ready_ns"], 12'000'000);
    EXPECT_EQ(json["guest"]["cpus"][0]["busy_ns"], 3'000'000);
}

TEST_F(Session, PassesInputWithinTheCredit) {
    std::string const text(123'457, 'i');
    directory.write("in", text);
    Outcome const outcome = run("echo");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out, text);
}

TEST_F(Session, ForwardsSignals) {
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
        directory.write("out", "");
        pid_t const pid = start("signal");
        wait_for("out", "ready");
        ::kill(pid, number);
        EXPECT_EQ(finish(pid).status, kSignalBase + number);
    }
}

TEST_F(Session, EndsAProgramThatIgnoresThreeInterrupts) {
    pid_t const pid = start("hang", {"--verbose"});
    wait_for("err", "stuck");
    std::this_thread::sleep_for(200ms);
    for (int i = 0; i < 3; ++i) {
        ::kill(pid, SIGINT);
        std::this_thread::sleep_for(100ms);
    }
    EXPECT_EQ(finish(pid).status, kSignalBase + SIGINT);
}

TEST_F(Session, ReportsAFatalSignalAsAShellDoes) { EXPECT_EQ(run("fatal").status, kSignalBase + SIGSEGV); }

TEST_F(Session, StopsAtTheTimeLimitWithTheLog) {
    Outcome const outcome = run("hang", {"--timeout", "0.5"});
    EXPECT_EQ(outcome.status, kTimedOut);
    EXPECT_TRUE(has(outcome.err, "kernel: stuck here")) << outcome.err;
}

TEST_F(Session, ReportsACrashWithTheLog) {
    Outcome const outcome = run("crash");
    EXPECT_EQ(outcome.status, kTuttiFailed);
    EXPECT_TRUE(has(outcome.err, "crashed") && has(outcome.err, "PANIC: boom\nbacktrace: here\n")) << outcome.err;
}

TEST_F(Session, ReportsAMachineThatVanishes) { EXPECT_EQ(run("vanish").status, kTuttiFailed); }

TEST_F(Session, ReportsWhatQemuSays) {
    Outcome const outcome = run("refuse");
    EXPECT_EQ(outcome.status, kTuttiFailed);
    EXPECT_TRUE(has(outcome.err, "no such machine")) << outcome.err;
}

TEST_F(Session, StopsAGuestThatBreaksTheProtocol) { EXPECT_EQ(run("garbage").status, kTuttiFailed); }

TEST_F(Session, DoesNotWaitForAMachineThatStaysOn) { EXPECT_EQ(run("linger").status, 3); }

TEST_F(Session, PassesMuchOutput) { EXPECT_EQ(run("flood").out.size(), 320U * 65536); }

TEST_F(Session, EndsWhenNobodyReads) {
    std::string const pipe = directory.path() + "/out";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    pid_t const pid = start("flood");
    int const reader = ::open(pipe.c_str(), O_RDONLY);
    char byte = 0;
    EXPECT_EQ(::read(reader, &byte, 1), 1);
    ::close(reader);
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), kSignalBase + SIGPIPE);
}

TEST_F(Session, StoresResultFiles) {
    Outcome const outcome = run("files", {"--out", "/out:" + directory.path() + "/result"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(directory.read("result/one"), std::string(200'000, '1'));
    EXPECT_EQ(directory.read("result/sub/two"), "2");
    EXPECT_EQ(std::filesystem::read_symlink(directory.path() + "/result/link"), "one");
    auto const mode = std::filesystem::status(directory.path() + "/result/sub/two").permissions();
    EXPECT_NE(mode & std::filesystem::perms::owner_exec, std::filesystem::perms::none);
}

TEST_F(Session, SaysWhichResultIsMissing) {
    Outcome const outcome = run("echo", {"--out", "/absent:" + directory.path() + "/x"});
    EXPECT_EQ(outcome.status, kTuttiFailed);
    EXPECT_TRUE(has(outcome.err, "/absent")) << outcome.err;
}

TEST_F(Session, KeepsTheGuestOutOfOtherHostFiles) {
    std::string const option = "/out:" + directory.path() + "/result";
    for (char const* scenario : {"thief", "climber", "linkclimber"}) {
        std::filesystem::remove_all(directory.path() + "/result");
        EXPECT_EQ(run(scenario, {"--out", option}).status, kTuttiFailed) << scenario;
        EXPECT_FALSE(std::filesystem::exists("/tmp/escaped"));
        EXPECT_FALSE(std::filesystem::exists(directory.path() + "/escaped"));
    }
}

TEST_F(Session, PutsTheManifestFirst) {
    Outcome const outcome = run("manifest", {"--env", "A=B", "--cwd", "/tmp"});
    using namespace std::string_literals;
    EXPECT_NE(outcome.out.find(".tutti/manifest"s), std::string::npos);
    EXPECT_NE(outcome.out.find("exe=/bin/true\0arg=/bin/true\0arg=argument\0"s), std::string::npos);
    EXPECT_NE(outcome.out.find("env=A=B\0cwd=/tmp\0"s), std::string::npos);
}

TEST_F(Session, ExplainsWhatIsMissing) {
    std::filesystem::remove(directory.path() + "/kernel");
    Outcome const outcome = run("hello");
    EXPECT_EQ(outcome.status, kTuttiFailed);
    EXPECT_TRUE(has(outcome.err, "make build")) << outcome.err;
}

TEST(Machine, ChoosesMemoryThatHoldsTheFiles) {
    EXPECT_EQ(default_memory(0), 512ULL << 20);
    EXPECT_EQ(default_memory(128ULL << 20), 512ULL << 20);
    EXPECT_GE(default_memory(1ULL << 30), 2304ULL << 20);
}

TEST(Machine, LooksForVirtualisation) {
    EXPECT_TRUE(cpu_has_virtualisation("processor : 0\nflags\t\t: fpu vmx sse\n"));
    EXPECT_TRUE(cpu_has_virtualisation("flags : svm\n"));
    EXPECT_FALSE(cpu_has_virtualisation("flags : fpu vmxfoo\nvmx : no\n"));
    EXPECT_FALSE(cpu_has_virtualisation(""));
}

std::string refusal(auto const& action) {
    try {
        action();
    } catch (CliError const& error) {
        return error.what();
    }
    return {};
}

TEST(Machine, RefusesWhatQemuCannotDo) {
    EXPECT_THROW(choose_accelerator("xen", Architecture::X86_64), CliError);
    MachineConfig config{.machine = "q35", .cpus = 256, .memory = 512 << 20};
    EXPECT_THROW((void)qemu_platform().launch(config), CliError);
    config.cpus = 0;
    EXPECT_THROW((void)qemu_platform().launch(config), CliError);
    config.cpus = 255;
    EXPECT_EQ(qemu_platform().launch(config).arguments.front(), "qemu-system-x86_64");
    config = {.architecture = Architecture::Aarch64, .machine = "virt-gicv2", .cpus = 9, .memory = 512 << 20};
    EXPECT_NE(refusal([&] { (void)qemu_platform().launch(config); }).find("virt-gicv3"), std::string::npos);
    config.machine = "virt-gicv3";
    EXPECT_EQ(qemu_platform().launch(config).arguments.front(), "qemu-system-aarch64");
}

TEST(Machine, FitsTheArchitecture) {
    Platform const& qemu = find_platform("qemu");
    EXPECT_EQ(choose_machine(qemu, Architecture::X86_64, ""), "q35");
    EXPECT_EQ(choose_machine(qemu, Architecture::Aarch64, ""), "virt-gicv3");
    EXPECT_EQ(choose_machine(qemu, Architecture::Aarch64, "virt-gicv2"), "virt-gicv2");
    EXPECT_NE(refusal([&] { choose_machine(qemu, Architecture::Aarch64, "q35"); }).find("Choose virt-gicv3 or virt-gicv2"), std::string::npos);
    EXPECT_NE(refusal([&] { choose_machine(qemu, Architecture::X86_64, "s390"); }).find("choose q35, pc or microvm"), std::string::npos);
    EXPECT_NE(refusal([] { choose_machine(linuxu_platform(), Architecture::Aarch64, ""); }).find("no programs yet. Use --platform qemu"), std::string::npos);
    EXPECT_NE(refusal([] { find_platform("vmware"); }).find("choose qemu, linuxu or xen"), std::string::npos);
    EXPECT_THROW(parse_architecture("arm"), CliError);
}

TEST_F(Session, WantsTheProgramToBeForTheArchitecture) {
    Outcome const outcome = run("hello", {"--arch", "aarch64"});
    EXPECT_EQ(outcome.status, kNotExecutable);
    EXPECT_TRUE(has(outcome.err, "Leave --arch out")) << outcome.err;
    EXPECT_EQ(run("hello", {"--arch", "x86_64"}).status, 7);
}

}  // namespace
}  // namespace tutti::cli
