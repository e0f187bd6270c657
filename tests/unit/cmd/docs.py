#!/usr/bin/env python3
"""Every command and option that domsnap's help knows is in a manual page, and so is the table as it prints it.

usage: docs.py DOMSNAP SOURCE_FOLDER
"""
import pathlib
import re
import subprocess
import sys


def main(domsnap, top):
    pages = "".join(page.read_text() for page in sorted(pathlib.Path(top, "man").glob("*.scd")))
    bold = set(re.findall(r"\*([^*\s]+)\*", pages))
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
    table = subprocess.run([domsnap, "table"], capture_output=True, text=True, check=True, timeout=60).stdout
    if f"```\n{table}```" not in pages:
        missing.append("the table, as 'domsnap table' prints it")
    print("\n".join(f"the manual does not tell of {what}" for what in missing) or f"{len(commands)} commands are told of")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
