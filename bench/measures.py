# SPDX-License-Identifier: BSD-3-Clause
"""What is measured. Each function takes a Bench, runs both sides in turn, and adds rows to its results."""
import os
import re
import statistics

import host
import native as native_contests
import sample
import guests
from report import HIGHER, LOWER

PEER = "Linux guest"


class Bench:
    """The two sides (either may be absent), how thorough to be, and where results go."""

    def __init__(self, build, ours, peer, quick, results, say, debroot):
        self.build, self.ours, self.peer, self.quick = build, ours, peer, quick
        self.results, self.say, self._debroot = results, say, debroot
        self.place = ""  # the platform, where a measure is taken on several

    def program(self, path):
        return os.path.join(self.build, path)

    def debroot(self):
        return self._debroot()

    def times(self, quick, full):
        return quick if self.quick else full

    def each(self, what, runs, action):
        """Runs `action(side)` on both sides in turn, `runs` times; returns the two lists of what came back (not None)."""
        found = {True: [], False: []}
        for number in range(runs):
            for mine, side in ((True, self.ours), (False, self.peer)):
                if side is None:
                    continue
                self.say(f"{what}: {side.name}, run {number + 1} of {runs}")
                value = action(side)
                if value is None:
                    self.results.failed(f"{what}: {side.name}, run {number + 1}")
                else:
                    found[mine].append(value)
        return found[True], found[False]

    def row(self, name, unit, ours, peer, cpus, better=LOWER):
        """One row of medians."""
        middle = [statistics.median(values) if values else None for values in (ours, peer)]
        runs = max(len(ours), len(peer))
        if runs:
            self.results.add(f"{self.place}: {name}" if self.place else name, unit, middle[0], PEER if self.peer else None, middle[1],
                             runs, cpus, better, self.place)


def boot(bench):
    """From starting the machine (for Tutti: the command) to the first byte that a static program writes."""
    program = bench.program("tests/programs/first_byte_static")
    for cpus in (1, 4) if bench.quick else (1, 4, 64):
        runs = bench.times(3, 7) if cpus < 64 else 1  # Linux takes minutes there
        memory = 512 if cpus < 64 else 1024
        limit = 60 if cpus < 64 else 400
        values = bench.each(f"boot, {cpus} CPUs", runs, lambda side: side.first_byte(program, cpus, memory, limit))
        bench.row("boot_to_first_byte", "s", *values, cpus)


def image(bench):
    values = [[side.image_bytes() / 2**20] if side else [] for side in (bench.ours, bench.peer)]
    bench.row("kernel_image", "MiB", *values, 1)


def memory(bench):
    """The least memory, to 1 MiB, with which a static program still writes its first byte."""
    least_memory(bench, bench.program("tests/programs/first_byte_static"))


def least_memory(bench, program):
    def least(side):
        low, high = 1, 512  # `high` works, `low` does not
        if side.first_byte(program, 1, high, 60) is None:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            bench.say(f"memory: {side.name}, {middle} MiB")
            if side.first_byte(program, 1, middle, 25) is not None:
                high = middle
            else:
                low = middle
        return high

    bench.row("smallest_memory", "MiB", *bench.each("memory", 1, least), 1)


PLATFORMS = (("qemu", "x86_64", "q35"), ("qemu", "x86_64", "microvm"), ("qemu", "aarch64", "virt-gicv3"), ("qemu", "aarch64", "virt-gicv2"),
             ("linuxu", "x86_64", ""), ("xen", "x86_64", ""), ("xen", "aarch64", ""))


def platforms(bench):
    """boot, image and memory for each platform; the peer is the Linux guest where QEMU starts it on the same machine."""
    for platform, arch, machine in PLATFORMS:
        ours = bench.ours and guests.Tutti(bench.build, machine, platform=platform, arch=arch)
        if ours and not ours.ready():
            bench.results.failed(f"platforms: {ours.kernel} is not built")
            continue
        peer = bench.peer and machine and guests.LinuxGuest(bench.build, bench.say, arch, machine)
        here = Bench(bench.build, ours, peer or None, bench.quick, bench.results, bench.say, None)
        here.place = machine or f"{platform} {arch}"
        program = here.program(f"tests/programs/{'aarch64/' if arch == 'aarch64' else ''}first_byte_static")
        for cpus in (1, 4):
            runs = here.times(1, 5)
            values = here.each(f"{here.place}: boot, {cpus} CPUs", runs, lambda side: side.first_byte(program, cpus, 512, 60))
            here.row("boot_to_first_byte", "s", *values, cpus)
        here.row("kernel_image", "MiB", *[[side.image_bytes() / 2**20] if side else [] for side in (ours, peer)], 1)
        least_memory(here, program)


def micro(bench):
    """bench/programs/micro.cpp; its rounds are inside one boot, and boots of both sides alternate."""
    cpus, rounds, milliseconds = 2, 5, bench.times(40, 100)
    command = [bench.program("bench/micro"), str(rounds), str(milliseconds)]

    def figures(side):
        outcome = side.run(command, cpus, limit=240)
        found = dict(re.findall(r"^RESULT (\S+) ([\d.]+) ns", outcome.text, re.M))
        return {name: float(value) for name, value in found.items()} if outcome.status == 0 and found else None

    ours, peer = bench.each("micro", bench.times(1, 5), figures)
    for name in dict.fromkeys(name for found in ours + peer for name in found):
        bench.row(name, "ns", [f[name] for f in ours if name in f], [f[name] for f in peer if name in f], cpus)


def _debian(bench, what, command, cpus, rows):
    """Runs a Debian program; `rows`: (name, unit, pattern of the figure, better). Several matches: their largest."""
    def figures(side):
        outcome = side.run(command, cpus, root=bench.debroot(), limit=180)
        found = [re.findall(pattern, outcome.text) for _, _, pattern, _ in rows]
        if outcome.status != 0 or not all(found):
            return None
        return [max(float(value) for value in values) for values in found]

    ours, peer = bench.each(what, bench.times(1, 3), figures)
    for index, (name, unit, _, better) in enumerate(rows):
        bench.row(name, unit, [f[index] for f in ours], [f[index] for f in peer], cpus, better)


def sysbench(bench):
    seconds = f"--time={bench.times(2, 5)}"
    for threads in (1, 4):
        options = [f"--threads={threads}", seconds]
        _debian(bench, f"sysbench cpu, {threads} threads", ["sysbench", "cpu", *options, "run"], threads,
                [(f"sysbench_cpu_{threads}t", "events/s", r"events per second:\s+([\d.]+)", HIGHER)])
    _debian(bench, "sysbench threads", ["sysbench", "threads", *options, "run"], 4,
            [("sysbench_threads_4t", "events", r"total number of events:\s+(\d+)", HIGHER)])
    _debian(bench, "sysbench mutex", ["sysbench", "mutex", "--threads=4", "--mutex-locks=10000", "run"], 4,
            [("sysbench_mutex_4t", "s", r"total time:\s+([\d.]+)s", LOWER)])
    _debian(bench, "sysbench memory", ["sysbench", "memory", *options, "run"], 4,
            [("sysbench_memory_4t", "MiB/s", r"\(([\d.]+) MiB/sec\)", HIGHER)])


def hackbench(bench):
    for pipe in ([], ["-p"]):
        name = "pipes" if pipe else "sockets"
        _debian(bench, f"hackbench, {name}", ["hackbench", "-T", "-g", "2", "-l", str(bench.times(50, 200)), *pipe], 4,
                [(f"hackbench_threads_{name}", "s", r"Time: ([\d.]+)", LOWER)])


def cyclictest(bench):
    loops = str(bench.times(200, 1000))
    _debian(bench, "cyclictest", ["cyclictest", "-t", "-a", "-q", "-p", "80", "-i", "2000", "-l", loops], 4,
            [("cyclictest_worst_thread_average", "us", r"Avg:\s*(\d+)", LOWER),
             ("cyclictest_max", "us", r"Max:\s*(\d+)", LOWER)])


def scaling(bench):
    """How much faster zstd -T4 is on 4 CPUs than on 1, beside a Linux guest and the host's own threads."""
    root = bench.debroot()
    path = os.path.join(bench.build, "sample-8M")
    sample.make(root, path, 8 << 20)
    speed = re.compile(r"\),\s+([\d.]+) MB/s")
    command = ["zstd", "-b3", f"-i{bench.times(2, 5)}", "-B512K", "-T4", "/sample"]

    def figure(side, cpus):
        outcome = side.run(command, cpus, root=root, files=[("/sample", path)], limit=180)
        found = speed.findall(outcome.text)
        return float(found[-1]) if outcome.status == 0 and found else None

    def on_host(threads):
        done = host.run(root, [*command[:-2], f"-T{threads}", path])
        return float(speed.findall((done.stdout + done.stderr).decode())[-1])

    runs = bench.times(1, 3)
    medians = {}
    for cpus in (1, 4):
        values = bench.each(f"zstd -T4, {cpus} CPUs", runs, lambda side, cpus=cpus: figure(side, cpus))
        bench.row("zstd_T4", "MB/s", *values, cpus, HIGHER)
        medians[cpus] = [statistics.median(v) if v else None for v in values]
    ours, peer = (a / b if a and b else None for a, b in zip(medians[4], medians[1]))
    bench.results.add("zstd_T4_speedup", "x", ours, PEER, peer, runs, 4, HIGHER)
    threads = min(4, len(os.sched_getaffinity(0)))
    native = statistics.median(on_host(threads) for _ in range(3)) / statistics.median(on_host(1) for _ in range(3))
    bench.results.add("zstd_T4_speedup", "x", ours, f"host, {threads} threads", native, runs, 4, HIGHER)


def native(bench):
    """The kernel's primitives beside user-space peers, on this host's processors: no guests."""
    native_contests.run(bench)


# Those that start guests come after those that do not.
MEASURES = {f.__name__: f for f in (native, boot, image, memory, platforms, micro, sysbench, hackbench, cyclictest, scaling)}
WITHOUT_GUESTS = {"native"}
