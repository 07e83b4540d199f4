# SPDX-License-Identifier: BSD-3-Clause
"""The two sides of a comparison: a program under Tutti, and the same program in a Linux guest of the same machine.

Both have `run(command, ...)` for a whole run, and `first_byte(...)` for the time from starting the machine to the first
byte that a static program writes.
"""
import glob
import os
import re
import selectors
import stat
import subprocess
import tempfile
import time

import closure
import debian_packages
from initramfs import Initramfs

DEBIAN_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}
PARAMETERS = {"x86_64": "console=ttyS0 mitigations=off tsc=reliable clearcpuid=erms,fsrm", "aarch64": "console=ttyAMA0 mitigations=off"}
# Of `tutti run`; what it calls a machine, QEMU's words for it (tools/tutti/platform_qemu.cpp).
MACHINES = {"q35": "q35", "microvm": "microvm,acpi=on,isa-serial=on,rtc=on", "virt-gicv3": "virt,gic-version=3",
            "virt-gicv2": "virt,gic-version=2"}


class GuestError(Exception):
    pass


class Outcome:
    def __init__(self, status, text, seconds):
        self.status, self.text, self.seconds = status, text, seconds


def _wait_for_first_byte(command, marker, limit, inputs=()):
    """Seconds from starting `command` until it has printed `marker`; None when that does not come."""
    start = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          pass_fds=inputs) as process, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        seen, found = b"", None
        while found is None and (left := start + limit - time.monotonic()) > 0:
            if not selector.select(left):
                break
            block = os.read(process.stdout.fileno(), 4096)
            seen += block
            if marker in seen:
                found = time.monotonic() - start
            if not block:
                break
        process.kill()
        return found


def _whole_run(command, limit):
    start = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as late:
        return Outcome(124, (late.stdout or b"").decode(errors="replace"), limit)
    text = done.stdout.decode(errors="replace")
    error = done.stderr.decode(errors="replace")
    return Outcome(done.returncode, text + error, time.monotonic() - start)


def _find(program, root):
    """Where a program of a root tree is on the host."""
    if "/" in program:
        return os.path.join(root, program.lstrip("/")) if root and not os.path.exists(program) else program
    for folder in ("usr/bin", "usr/sbin", "usr/games"):
        path = os.path.join(root or "/", folder, program)
        if os.path.exists(path):
            return path
    raise GuestError(f"{program} is not in {root or '/'}")


class Tutti:
    name = "Tutti"

    def __init__(self, build, machine="q35", kernel=None, platform="qemu", arch="x86_64"):
        """`machine` is a word of --machine, empty where the platform has none."""
        self.command = os.path.join(build, "tutti")
        image = "tutti-kernel-linuxu" if platform == "linuxu" else f"tutti-kernel-{arch}" + (".elf" if arch == "x86_64" else ".Image")
        self.kernel = kernel or os.path.join(build, image)
        self.machine = ["--platform", platform, "--arch", arch]
        if platform == "qemu":
            self.machine += ["--machine", machine, "--accel", "tcg"]

    def ready(self):
        return os.path.exists(self.command) and os.path.exists(self.kernel)

    def image_bytes(self):
        return os.path.getsize(self.kernel)

    def _words(self, cpus, memory, limit):
        return [self.command, "run", *self.machine, "--cpus", str(cpus), "--memory", f"{memory}M", "--timeout", str(limit),
                "--kernel", self.kernel]

    def run(self, command, cpus=1, memory=512, root=None, files=(), limit=120):
        words = self._words(cpus, memory, limit)
        if root:
            words += ["--root", root]
        for inside, outside in files:
            words += ["--copy", f"{outside}:{inside}"]
        return _whole_run([*words, "--", *command], limit + 15)

    def first_byte(self, program, cpus=1, memory=512, limit=60):
        return _wait_for_first_byte([*self._words(cpus, memory, limit), "--", program], b"!", limit)


class LinuxGuest:
    name = "Linux"

    def __init__(self, build, say=lambda text: None, arch="x86_64", machine="q35"):
        self.arch, self.machine = arch, machine
        self.folder = os.path.join(build, "peer" if arch == "x86_64" else f"peer-{arch}")
        self.init = os.path.join(build, "bench", "peer_init")
        self._say = say
        self._kernel = None

    def kernel(self):
        """The kernel image of Debian's cloud kernel package, fetched when it is not there."""
        if self._kernel:
            return self._kernel
        root = os.path.join(self.folder, "root")
        found = sorted(glob.glob(os.path.join(root, "boot", "vmlinuz-*")))
        if not found:
            debian = DEBIAN_ARCH[self.arch]
            foreign = None if self.arch == "x86_64" else debian
            os.makedirs(self.folder, exist_ok=True)
            text = debian_packages.depends_on(f"linux-image-cloud-{debian}", root, foreign)
            name = re.search(rf"linux-image-\S+-cloud-{debian}", text)
            if not name:
                raise GuestError(f"apt-cache does not know linux-image-cloud-{debian}; run apt-get update")
            debian_packages.fetch([name.group(0)], root, False, self._say, foreign)
            found = sorted(glob.glob(os.path.join(root, "boot", "vmlinuz-*")))
        self._kernel = found[-1]
        return self._kernel

    def image_bytes(self):
        return os.path.getsize(self.kernel())

    def _machine(self, cpus, memory, initrd):
        # The same machine as `tutti run` builds, and the parameters with which Linux is fastest on it
        # (docs/benchmarks.md): the comparison is with Linux at its best.
        words = [f"qemu-system-{self.arch}", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                 "-machine", MACHINES[self.machine], "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(cpus),
                 "-m", f"size={memory}M", "-kernel", self.kernel(), "-initrd", initrd,
                 "-append", f"quiet panic=-1 {PARAMETERS[self.arch]}", "-chardev", "stdio,id=log,signal=off,mux=off",
                 "-serial", "chardev:log", "-object", "rng-builtin,id=rng"]
        if self.machine == "microvm":
            return [*words, "-global", "virtio-mmio.force-legacy=off", "-device", "virtio-rng-device,rng=rng"]
        return [*words, "-device", "virtio-rng-pci-non-transitional,rng=rng"]

    def _archive(self):
        archive = Initramfs()
        archive.device("/dev/console", stat.S_IFCHR | 0o600, 5, 1)
        archive.device("/dev/null", stat.S_IFCHR | 0o666, 1, 3)
        for folder in ("/proc", "/sys", "/tmp", "/root"):
            archive.folder(folder)
        return archive

    def run(self, command, cpus=1, memory=512, root=None, files=(), limit=120):
        program = _find(command[0], root)
        inside = f"/usr/bin/{os.path.basename(program)}"
        archive = self._archive()
        archive.host_file("/init", self.init)
        archive.host_file(inside, program)
        for path, source in [*closure.libraries(program, root), *files]:
            archive.host_file(path, source)
        archive.file("/command", "\0".join([inside, *command[1:]]).encode() + b"\0", 0o644)
        with tempfile.NamedTemporaryFile(suffix=".cpio") as initrd:
            archive.write(initrd.name)
            outcome = _whole_run(self._machine(cpus, memory, initrd.name), limit)
        body = re.search(r"@@begin\r?\n(.*?)(?:\r?\n@@end (\d+)|\Z)", outcome.text, re.S)
        if not body:
            return Outcome(125, outcome.text, outcome.seconds)
        return Outcome(int(body.group(2)) if body.group(2) else 125, body.group(1), outcome.seconds)

    def first_byte(self, program, cpus=1, memory=512, limit=60):
        archive = self._archive()
        archive.host_file("/init", program)
        with tempfile.NamedTemporaryFile(suffix=".cpio") as initrd:
            archive.write(initrd.name)
            return _wait_for_first_byte(self._machine(cpus, memory, initrd.name), b"!", limit)
