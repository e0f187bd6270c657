#!/usr/bin/env python3
"""Runs one file of commands and compares what they print and return.

usage: run.py DOMSNAP CASES [--update]
A case file:
    # a comment
    $ [NAME=VALUE]... domsnap ARGUMENT...   words as a shell splits them, but no shell runs them
    < a line of standard input
    | a line of standard output
    ! a line of standard error
    = 1                                     the exit status, if it is not 0
{data} stands for the folder data/, {source} for the source tree, {tmp} for the file's own scratch folder; what is
printed is compared after they are put back. Every file begins with an empty state folder. --update writes what was printed instead: read it before you
commit it.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent


def blocks(text):
    """(lines before, command line, expected lines)"""
    before, command, expected = [], None, []
    for line in text.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield before, command, expected
                before, expected = [], []
            command = line
        elif command is not None and line[:1] in "<|!=" and line:
            expected.append(line)
        elif command is not None and (line.startswith("#") or not line):
            yield before, command, expected
            before, command, expected = [line], None, []
        else:
            before.append(line)
    if command is not None:
        yield before, command, expected


def shown(process, places):
    def tidy(text):
        for name, path in places.items():
            text = text.replace(path, "{" + name + "}")
        return re.sub(r"domsnap\w{6}\.xml", "domsnapXXXXXX.xml", text).split("\n")

    lines = []
    for mark, text in (("|", process.stdout), ("!", process.stderr)):
        parts = tidy(text.decode(errors="backslashreplace"))
        if parts[-1] == "":
            parts.pop()
        else:
            parts[-1] += "\\"  # no newline at the end
        lines += [f"{mark} {part}" if part else mark for part in parts]
    return lines + ([f"= {process.returncode}"] if process.returncode else [])


def run(domsnap, command, expected, places):
    words = [word.format(**places) for word in shlex.split(command[2:])]
    environment = {"PATH": os.environ["PATH"], "HOME": places["tmp"], "TMPDIR": places["tmp"], "TZ": "UTC", "LC_ALL": "C.UTF-8",
                   "DOMSNAP_STATE_DIR": places["tmp"] + "/state", "DOMSNAP_RUNTIME_DIR": places["tmp"] + "/run"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH"):
        environment |= {name: os.environ[name]} if name in os.environ else {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    assert words[0] == "domsnap", command
    typed = "".join(line[2:] + "\n" for line in expected if line.startswith("<"))
    return shown(subprocess.run([domsnap] + words[1:], input=typed.encode(), capture_output=True, env=environment,
                                cwd=places["tmp"], timeout=60), places)


def main(domsnap, file, *options):
    file = pathlib.Path(file)
    failed, out = 0, []
    with tempfile.TemporaryDirectory(prefix="domsnap-cmd-") as tmp:
        places = {"data": str(HERE / "data"), "source": str(HERE.parents[2]), "tmp": tmp}
        for before, command, expected in blocks(file.read_text()):
            got = run(domsnap, command, expected, places)
            typed = [line for line in expected if line.startswith("<")]
            out += before + [command] + typed + got
            wanted = [line for line in expected if not line.startswith("<")]
            if got != wanted:
                failed += 1
                if not options:
                    print(command, *(f"  wanted {line}" for line in wanted), *(f"  got    {line}" for line in got), sep="\n")
    if "--update" in options:
        file.write_text("\n".join(out) + "\n")
        return 0
    print(f"{file.name}: {failed} commands did not do what they should" if failed else f"{file.name}: all as it should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
