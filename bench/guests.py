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

KERNEL_PACKAGE = "linux-image-cloud-amd64"
PARAMETERS = "mitigations=off tsc=reliable clearcpuid=erms,fsrm"


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

    def __init__(self, build, machine="q35", kernel=None):
        self.command = os.path.join(build, "tutti")
        self.kernel = kernel or os.path.join(build, "tutti-kernel-x86_64.elf")
        self.machine = machine

    def ready(self):
        return os.path.exists(self.command) and os.path.exists(self.kernel)

    def image_bytes(self):
        return os.path.getsize(self.kernel)

    def _words(self, cpus, memory, limit):
        return [self.command, "run", "--machine", self.machine, "--accel", "tcg", "--cpus", str(cpus), "--memory", f"{memory}M",
                "--timeout", str(limit), "--kernel", self.kernel]

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

    def __init__(self, build, say=lambda text: None):
        self.folder = os.path.join(build, "peer")
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
            text = debian_packages.depends_on(KERNEL_PACKAGE)
            name = re.search(r"linux-image-\S+-cloud-amd64", text)
            if not name:
                raise GuestError(f"apt-cache does not know {KERNEL_PACKAGE}; run apt-get update")
            debian_packages.fetch([name.group(0)], root, False, self._say)
            found = sorted(glob.glob(os.path.join(root, "boot", "vmlinuz-*")))
        self._kernel = found[-1]
        return self._kernel

    def image_bytes(self):
        return os.path.getsize(self.kernel())

    def _machine(self, cpus, memory, initrd):
        # The same machine as `tutti run` builds, and the parameters with which Linux is fastest on it
        # (docs/benchmarks.md): the comparison is with Linux at its best.
        return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35",
                "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(cpus), "-m", f"size={memory}M",
                "-kernel", self.kernel(), "-initrd", initrd, "-append", f"console=ttyS0 quiet panic=-1 {PARAMETERS}",
                "-chardev", "stdio,id=log,signal=off,mux=off", "-serial", "chardev:log",
                "-object", "rng-builtin,id=rng", "-device", "virtio-rng-pci-non-transitional,rng=rng"]

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
