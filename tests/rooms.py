#!/usr/bin/env python3
"""Checks the arrows between the rooms: who may include whom. Reads #include lines and nothing else.

usage: rooms.py [SOURCE_FOLDER] | rooms.py --self-test
Prints each violation as FILE:LINE: text and exits 1; long files and functions are mentioned, not refused.
"""
import pathlib
import re
import sys
import tempfile

ARROWS = {
    "src/base": "",
    "src/model": "base",
    "src/plan": "base model",
    "src/os": "base",
    "src/xml": "base model",
    "src/store": "base os model",
    "src/qmp": "base os",
    "src/agent": "base os",
    "src/image": "base os",
    "src/memory": "base os",
    "src/machine": "base os model qmp",
    "src/ui": "base model plan",
    "src/engine": "base os model xml plan qmp agent image memory machine store",
    # libvirt's protocol, without sockets and threads of the server: those are cmd/domsnapd's.
    "src/rpc": "base model xml ui",
    # The command line goes through the public door; domsnap-memory is the memory room's own processes, and may
    # stop a guest.
    "cmd/domsnap": "ui xml model os/signals.h", # model: the values that xml gives
    "cmd/domsnapd": "rpc base os",
    "cmd/domsnap-memory": "base os memory qmp",
    "cmd/domsnap-thaw": "agent",
    "cmd/domsnap-finish": "engine",
    "include/domsnap": "",
}
# The words that everybody shares. The other public headers are for those who stand at the door, and for the two that
# take its requests in (plan) and write its answers out (ui); to them they are values.
SHARED_HEADERS = {"domsnap/error.h", "domsnap/progress.h"}
AT_THE_DOOR = {"src/engine", "src/plan", "src/ui", "src/rpc", "cmd/domsnap", "cmd/domsnapd", "include/domsnap"}
NO_INPUT_OUTPUT = {"src/base", "src/model", "src/plan"}
SYSTEM_HEADER = re.compile(r"sys/|linux/|unistd\.h|fcntl\.h|fstream|iostream|poll\.h|dirent\.h|filesystem|cstdio")
# They cost seconds in every file that sees them: for .cpp files, and for headers that only .cpp files of the room see.
HEAVY = re.compile(r"nlohmann/json\.hpp|CLI/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LONGEST_FILE, LONGEST_FUNCTION = 400, 80


def complaint(room, path, quote, header):
    """Why this include is wrong, or None."""
    top = header.split("/")[0]
    if top == "domsnap" and quote == "<":
        if header in SHARED_HEADERS or room in AT_THE_DOOR:
            return None
        return f"{room} may not see the public header <{header}>"
    if quote == '"':
        own = room.split("/")[-1]
        allowed = ARROWS[room].split()
        if top == own or header in allowed or top in allowed or (path.parent / header).is_file():
            return None
        return f'{room} may not see "{header}"'
    if room in NO_INPUT_OUTPUT and SYSTEM_HEADER.match(header):
        return f"{room} does no input or output, but includes <{header}>"
    if path.suffix == ".h" and HEAVY.match(header) and seen_by_headers(path, room):
        return f"<{header}> is for .cpp files only, and a header includes this one"
    return None


def seen_by_headers(path, room):
    top = path.parents[len(pathlib.PurePath(room).parts)]
    wanted = f'"{path.relative_to(top / room.split("/")[0])}"'
    strangers = (p for p in sources(top) if p.suffix == ".h" or path.parent not in p.parents)
    return any(wanted in p.read_text() for p in strangers)


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".h", ".cpp"))


def violations(top):
    found = []
    for part in ("src", "cmd", "include"):
        for path in sources(top / part):
            room = "/".join(path.relative_to(top).parts[:2])
            if room not in ARROWS:
                found.append(f"{path.relative_to(top)}:1: {room} is no room that rooms.py knows")
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                include = INCLUDE.match(line)
                why = include and complaint(room, path, *include.groups())
                if why:
                    found.append(f"{path.relative_to(top)}:{number}: {why}")
    return found


def long_functions(lines):
    """(first line, length) of what starts and ends in the first column, as clang-format lays functions out."""
    start = None
    for number, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z~].*\(", line) and not line.startswith("namespace"):
            start = number
        if line.startswith("}") and start is not None:
            if number - start + 1 > LONGEST_FUNCTION:
                yield start, number - start + 1
            start = None


def warnings(top):
    for path in sources(top / "src") + sources(top / "cmd") + sources(top / "tests"):
        lines = path.read_text().splitlines()
        name = path.relative_to(top)
        if len(lines) > LONGEST_FILE:
            yield f"{name}:1: warning: {len(lines)} lines; is there more than one idea in it?"
        for start, length in long_functions(lines):
            yield f"{name}:{start}: warning: a function of {length} lines"


SELF_TEST = {  # file: (content, what is wrong with it)
    "src/plan/bad_room.h": ('#include "qmp/client.h"', "may not see"),
    "src/plan/bad_io.cpp": ("#include <fstream>", "does no input or output"),
    "src/qmp/bad_door.cpp": ("#include <domsnap/host.h>", "may not see the public header"),
    "src/qmp/bad_json.h": ("\n#include <nlohmann/json.hpp>", ".cpp files only"),
    "src/qmp/client.h": ('#include "qmp/bad_json.h"', None),
    "src/qmp/good_json.h": ("#include <nlohmann/json.hpp>", None),
    "src/qmp/good_json.cpp": ('#include "qmp/good_json.h"', None),
    "src/new/bad_new.cpp": ("", "is no room"),
    "cmd/domsnap/bad_os.cpp": ('#include "os/file.h"', "may not see"),
    "cmd/domsnap/good_signals.cpp": ('#include "os/signals.h"\n#include <domsnap/host.h>', None),
    "src/qmp/good.cpp": ('#include "os/fd.h"\n#include "qmp/client.h"\n#include <domsnap/error.h>\n'
                         "#include <nlohmann/json.hpp>", None),
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        for name, (content, _) in SELF_TEST.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        found = violations(pathlib.Path(folder))
    for name, (_, wanted) in SELF_TEST.items():
        said = [line for line in found if line.startswith(name + ":")]
        assert len(said) == (wanted is not None), (name, said)
        assert wanted is None or wanted in said[0], (name, said)
    assert any(line.startswith("src/qmp/bad_json.h:2:") for line in found), found
    body = ["int f() {"] + ["    x();"] * LONGEST_FUNCTION + ["}", "int g() {", "}"]
    assert list(long_functions(body)) == [(1, LONGEST_FUNCTION + 2)]
    print(f"{len(SELF_TEST)} files judged as they should be")


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    top = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parent.parent)
    for line in warnings(top):
        print(line)
    found = violations(top)
    print("\n".join(found) if found else "every include follows the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
