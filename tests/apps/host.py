# SPDX-License-Identifier: BSD-3-Clause
"""Runs programs of a root tree on the host, with the tree's own loader and libraries."""
import os
import subprocess

LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")


def program_path(root, name):
    for folder in ("usr/bin", "usr/sbin", "usr/games"):
        path = os.path.join(root, folder, name)
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f"{name} is not in {root}")


def run(root, command, limit=120, **options):
    """The completed process; output and errors are captured as bytes."""
    if command[0].startswith("/"):
        line = command
    else:
        paths = ":".join(os.path.join(root, folder) for folder in LIBRARIES)
        line = [os.path.join(root, LOADER), "--inhibit-cache", "--library-path", paths, program_path(root, command[0]),
                *command[1:]]
    environment = dict(os.environ, PYTHONHOME=os.path.join(root, "usr"), LC_ALL="C")
    return subprocess.run(line, capture_output=True, timeout=limit, env=environment, check=False, **options)
