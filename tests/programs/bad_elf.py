# SPDX-License-Identifier: BSD-3-Clause
"""Makes damaged copies of a good static program: what a loader must refuse, or survive.

    make_all(good, directory) -> {name: (path, what is wrong)}
"""
import os
import struct

EHDR = {"type": (16, "<H"), "machine": (18, "<H"), "version": (20, "<I"), "entry": (24, "<Q"), "phoff": (32, "<Q"),
        "ehsize": (52, "<H"), "phentsize": (54, "<H"), "phnum": (56, "<H")}
PHDR = {"type": (0, "<I"), "flags": (4, "<I"), "offset": (8, "<Q"), "vaddr": (16, "<Q"), "filesz": (32, "<Q"),
        "memsz": (40, "<Q"), "align": (48, "<Q")}
PT_LOAD, PT_INTERP = 1, 3
EM_AARCH64 = 183


class Image:
    def __init__(self, data):
        self.data = bytearray(data)

    def set(self, field, value):
        offset, form = EHDR[field]
        struct.pack_into(form, self.data, offset, value)
        return self

    def get(self, field):
        offset, form = EHDR[field]
        return struct.unpack_from(form, self.data, offset)[0]

    def segment(self, index):
        return self.get("phoff") + index * self.get("phentsize")

    def segments(self, kind):
        return [i for i in range(self.get("phnum"))
                if struct.unpack_from("<I", self.data, self.segment(i))[0] == kind]

    def set_segment(self, index, **fields):
        for field, value in fields.items():
            offset, form = PHDR[field]
            struct.pack_into(form, self.data, self.segment(index) + offset, value)
        return self

    def get_segment(self, index, field):
        offset, form = PHDR[field]
        return struct.unpack_from(form, self.data, self.segment(index) + offset)[0]


def variants(good):
    """(name, what is wrong, bytes)"""
    def image():
        return Image(good)

    loads = image().segments(PT_LOAD)
    first, second, last = loads[0], loads[1], loads[-1]
    spare = next(i for i in range(image().get("phnum")) if i not in loads)
    first_address = image().get_segment(first, "vaddr")
    far = 0x0000_FFFF_FFFF_F000 if image().get("machine") == EM_AARCH64 else 0x0000_7FFF_FFFF_F000

    yield "empty", "an empty file", b""
    yield "one-byte", "one byte", good[:1]
    yield "magic-only", "nothing but the magic number", good[:4]
    yield "half-header", "the file ends within the ELF header", good[:40]
    yield "no-segments-in-file", "the file ends before the program headers", good[:64]
    yield "half-segments", "the file ends within the program headers", good[:64 + 56 + 20]
    yield "truncated-text", "the file ends within the first segments", good[:5000]
    yield "truncated-half", "half of the file is missing", good[:len(good) // 2]
    yield "magic-wrong", "a wrong magic number", b"\x7fELG" + good[4:]
    yield "class-32", "claims to be a 32-bit file", good[:4] + b"\x01" + good[5:]
    yield "big-endian", "claims to be big-endian", good[:5] + b"\x02" + good[6:]
    yield "machine-other", "a program for another machine", bytes(image().set("machine", 243).data)
    yield "machine-none", "a program for no machine", bytes(image().set("machine", 0).data)
    yield "type-core", "a core file", bytes(image().set("type", 4).data)
    yield "type-relocatable", "an object file", bytes(image().set("type", 1).data)
    yield "phnum-0", "no program headers", bytes(image().set("phnum", 0).data)
    yield "phnum-65535", "65535 program headers", bytes(image().set("phnum", 65535).data)
    yield "phentsize-1", "program headers of one byte", bytes(image().set("phentsize", 1).data)
    yield "phentsize-huge", "program headers of 65535 bytes", bytes(image().set("phentsize", 65535).data)
    yield "phoff-past-end", "program headers past the end", bytes(image().set("phoff", len(good) + 1000).data)
    yield "phoff-huge", "program headers at the end of the number range", bytes(image().set("phoff", 2**64 - 8).data)
    yield "entry-zero", "entry point 0", bytes(image().set("entry", 0).data)
    yield "entry-kernel", "entry point in the kernel", bytes(image().set("entry", 0xFFFFFFFF80100000).data)
    yield "entry-non-canonical", "entry point that is no address", bytes(image().set("entry", 0x0123456789ABCDEF).data)
    yield "overlapping", "two segments at one address", bytes(image().set_segment(second, vaddr=first_address).data)
    yield "overlap-one-page", "segments that share a page the wrong way", bytes(
        image().set_segment(second, vaddr=first_address + 0x800).data)
    yield "unaligned", "an address that does not fit its file offset", bytes(
        image().set_segment(second, vaddr=image().get_segment(second, "vaddr") + 0x123).data)
    yield "memsz-smaller", "a segment smaller in memory than in the file", bytes(image().set_segment(second, memsz=16).data)
    yield "filesz-huge", "a segment larger than the file", bytes(image().set_segment(second, filesz=2**40, memsz=2**40).data)
    yield "memsz-huge", "a segment of 2^62 bytes", bytes(image().set_segment(last, memsz=2**62).data)
    yield "memsz-wraps", "a segment that wraps around", bytes(image().set_segment(last, memsz=2**64 - 4096).data)
    yield "offset-huge", "file offset at the end of the number range", bytes(
        image().set_segment(second, offset=2**64 - 4096).data)
    yield "vaddr-kernel", "a segment in the kernel", bytes(image().set_segment(second, vaddr=0xFFFFFFFF80000000).data)
    yield "vaddr-top", "a segment that crosses the end of user memory", bytes(image().set_segment(second, vaddr=far).data)
    yield "vaddr-zero", "a segment at address 0", bytes(image().set_segment(first, vaddr=0).data)
    yield "vaddr-non-canonical", "a segment at no address", bytes(image().set_segment(second, vaddr=0x4000_0000_0000_0000).data)
    yield "align-odd", "an alignment that is no power of two", bytes(image().set_segment(second, align=4097).data)
    yield "align-huge", "an alignment of 2^63", bytes(image().set_segment(second, align=2**63).data)
    yield "interpreter-missing", "an interpreter that does not exist", with_interpreter(image(), spare, b"/no/such/ld.so\0")
    yield "interpreter-endless", "an interpreter name without an end", with_interpreter(image(), spare, b"/" + b"x" * 5000)
    yield "interpreter-empty", "an empty interpreter name", with_interpreter(image(), spare, b"\0")
    yield "interpreter-past-end", "an interpreter name past the end", bytes(
        image().set_segment(spare, type=PT_INTERP, offset=len(good) + 5000, filesz=20).data)
    yield "interpreter-directory", "an interpreter that is a directory", with_interpreter(image(), spare, b"/tmp\0")


def with_interpreter(image, index, name):
    offset = len(image.data)
    image.set_segment(index, type=PT_INTERP, offset=offset, filesz=len(name), memsz=len(name))
    return bytes(image.data) + name


def make_all(good_path, directory):
    with open(good_path, "rb") as file:
        good = file.read()
    os.makedirs(directory, exist_ok=True)
    made = {}
    for name, wrong, data in variants(good):
        path = os.path.join(directory, name)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, 0o755)
        made[name] = (path, wrong)
    return made
