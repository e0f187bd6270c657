#!/usr/bin/env python3
"""Every command and option that domsnap's help knows is in its manual page.

usage: docs.py DOMSNAP SOURCE_FOLDER
"""
import pathlib
import re
import subprocess
import sys


def main(domsnap, top):
    page = pathlib.Path(top, "man/domsnap.1.scd").read_text()
    bold = set(re.findall(r"\*([^*\s]+)\*", page))
    missing = []

    def help_of(*words):
        return subprocess.run([domsnap, "help", *words], capture_output=True, text=True, check=True, timeout=60).stdout

    commands = re.findall(r"^    ([a-z][a-z-]*) ", help_of(), re.M)
    assert "snapshot-create" in commands and "list" in commands, commands
    for command in commands:
        if command not in bold:
            missing.append(command)
        for option in re.findall(r"^    (--[a-z-]+)(?: {2,}|$)", help_of(command), re.M):  # flags: values stand as names
            if option not in bold:
                missing.append(f"{command} {option}")
    print("\n".join(f"domsnap(1) does not tell of {what}" for what in missing) or f"{len(commands)} commands are told of")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
