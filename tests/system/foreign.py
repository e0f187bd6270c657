"""Looks into a QEMU's memory from outside: the guest's RAM against a memory image, page for page."""
import json
import os
import re
import struct

PAGE = 4096


def ram_address(test, name="g"):
    """Where the guest's first byte of RAM lies in its QEMU."""
    answer = test.ok("qemu-monitor-command", name, "--hmp", "gpa2hva 0")
    return int(re.search(r"is (0x[0-9a-f]+)", answer).group(1), 16)


def pages_of(image):
    """(size of main RAM, state of each of its pages) as docs/formats/memory-image.md has them."""
    with open(image, "rb") as file:
        file.seek(-64, os.SEEK_END)
        trailer = file.read(64)
        count, _, table, size = struct.unpack_from("<IQQQ", trailer, 12)
        file.seek(table)
        sections = [struct.unpack_from("<IIQQ", file.read(32)) for _ in range(count)]
        where = {kind: (offset, length) for kind, _, offset, length in sections}
        file.seek(where[7][0])
        ram = json.loads(file.read(where[7][1]))["ram_size"]
        file.seek(where[5][0])
        return ram, file.read(ram // PAGE)


def pages_that_differ(pid, address, image):
    """Numbers of the pages of a stopped guest's main RAM that are not what the image says."""
    ram, states = pages_of(image)
    zero, found = bytes(PAGE), []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory, open(image, "rb") as saved:
        for page in range(ram // PAGE):
            memory.seek(address + page * PAGE)
            wanted = zero
            if states[page] == 2:
                saved.seek(page * PAGE)
                wanted = saved.read(PAGE)
            if memory.read(PAGE) != wanted:
                found.append(page)
    return found
