# SPDX-License-Identifier: BSD-3-Clause
"""Writes newc cpio archives, which Linux takes as its first root file system."""
import os
import stat


class Initramfs:
    def __init__(self):
        self._parts, self._made, self._number = [], set(), 0

    def folder(self, path):
        path = path.strip("/")
        if path and path not in self._made:
            self.folder(os.path.dirname(path))
            self._made.add(path)
            self._add(path, stat.S_IFDIR | 0o755, b"")

    def file(self, path, data, mode=0o755):
        self.folder(os.path.dirname(path))
        self._add(path.strip("/"), stat.S_IFREG | mode, data)

    def host_file(self, path, source):
        with open(source, "rb") as file:
            self.file(path, file.read(), os.stat(source).st_mode & 0o777)

    def device(self, path, mode, major, minor):
        self.folder(os.path.dirname(path))
        self._add(path.strip("/"), mode, b"", major, minor)

    def _add(self, name, mode, data, major=0, minor=0):
        self._number += 1
        encoded = name.encode() + b"\0"
        fields = (self._number, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self._parts += [header, b"\0" * (-len(header) % 4), data, b"\0" * (-len(data) % 4)]

    def write(self, path):
        self._add("TRAILER!!!", 0, b"")
        with open(path, "wb") as file:
            for part in self._parts:
                file.write(part)
