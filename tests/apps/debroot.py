#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes BUILD/debroot: the Debian packages whose programs the application tests, the demonstration and the benchmarks
run on Tutti, unmodified, with their libraries; BUILD/debroot-arm64: the same for Arm64. Nothing is taken from what the host
has installed.

    debroot.py [BUILD [ARCH]]
"""
import fcntl
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import debian_packages  # noqa: E402

PACKAGES = ["zstd", "xz-utils", "pigz", "sysbench", "rt-tests", "sqlite3", "python3.11-minimal", "libpython3.11-stdlib"]


def ensure(build, say=lambda text: None, arch="x86_64"):
    """The folder, complete. Tests that run at the same time wait for each other here."""
    foreign = {"x86_64": None, "aarch64": "arm64"}[arch]
    directory = os.path.join(build, f"debroot-{foreign}" if foreign else "debroot")
    os.makedirs(directory, exist_ok=True)
    with open(directory + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        debian_packages.fetch(PACKAGES, directory, True, say, foreign)
    return directory


if __name__ == "__main__":
    try:
        print(ensure(sys.argv[1] if len(sys.argv) > 1 else "build", lambda text: print(text, flush=True), *sys.argv[2:3]))
    except debian_packages.FetchError as error:
        sys.exit(f"debroot: {error}")
