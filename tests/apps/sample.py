# SPDX-License-Identifier: BSD-3-Clause
"""Makes a real file of a wanted size: the contents of Debian packages, one after the other, as tar would store them.

The same packages give the same bytes. Programs, libraries, Python sources and documentation compress as real data does.
"""
import os


def make(root, path, size):
    """Writes `size` bytes (fewer when the tree has no more) of the tree's files, in the order of their names."""
    if os.path.exists(path) and os.path.getsize(path) == size:
        return
    partial = f"{path}.{os.getpid()}"
    with open(partial, "wb") as out:
        for name in _files(root):
            left = size - out.tell()
            if left <= 0:
                break
            with open(name, "rb") as file:
                header = os.path.relpath(name, root).encode().ljust(512, b"\0")
                out.write((header + file.read())[:left])
    os.rename(partial, path)


def _files(root):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path
