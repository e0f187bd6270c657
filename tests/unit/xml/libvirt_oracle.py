#!/usr/bin/env python3
"""Compares what the .out and .err files record with libvirt itself: its test driver, through virsh.

usage: libvirt_oracle.py SNAPSHOT_FOLDER
Exits 77 (skipped) without virsh. Only redefined snapshots can be compared: the test driver knows no --disk-only, and
never mixes internal and external. Differences are ours by decision, and listed here, each with its reason.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SAME_REFUSAL_OTHER_WORDS = {
    # libvirt counts the disks first; we name the one that is not there
    "disk-too-many": "too many disk snapshot requests",
    # libvirt finds no children in another namespace, and so no name
    "namespace": "must have a name",
    # libvirt's entity is empty because it loads nothing from outside either
    "external-entity": "must have a name",
    "domain-without-name": "name",
    "inactive-domain-without-type": "missing domain type attribute",
}
ONLY_WE_REFUSE = {
    "name-slash": "libvirt's QEMU driver refuses it, its parser does not",
    "name-dot": "the same", "name-dotdot": "the same",
    "name-tab": "control characters would forge lines of lists", "name-newline": "the same", "name-delete": "the same",
    "doctype": "no DTDs", "entity": "no DTDs",
    "prefixed-root": "libvirt looks at the local name alone",
    "memory-external-disk": "disk= is ours", "memory-unknown-disk": "disk= is ours",
    "unknown-encoding": "only encodings that extend ASCII",
    "disk-collision": "one file would be two overlays",
}
ONLY_WE_ACCEPT = {
    "without-domain": "the parser leaves it to the engine, which says missing domain in snapshot",
    "domain-uuid-only": "the same",
    "latin1": "libvirt reads UTF-8 alone", "utf16": "the same",
}
WE_PRINT_MORE = {
    "memory-internal-disk": "disk= is ours", "memory-disk-alone": "disk= is ours",
    "cookie": "the test driver drops it", "everything": "its cookie",
    "parent": "the test driver has no such parent",
}


def virsh(*commands):
    done = subprocess.run(["virsh", "-q", "-c", "test:///default", "; ".join(commands)], capture_output=True, text=True,
                          errors="replace")
    errors = [line[7:] for line in done.stderr.splitlines() if line.startswith("error: ")]
    return done.stdout, errors[0] if errors else ""


def images(folder):
    for name in ("vda.qcow2", "vdb.img", "vda.img", "plain", "a.b.qcow2", "c.iso", "locked.qcow2"):
        (folder / name).touch()


def for_the_test_driver(text, folder):
    """It knows type='test', i686 and images that exist."""
    text = text.replace(b"/images/", bytes(folder) + b"/").replace(b"type='kvm'", b"type='test'")
    return text.replace(b"arch='x86_64' machine='pc-q35-7.2'", b"arch='i686'").replace(b"bus='sata'", b"bus='scsi'")


def ask(document, folder):
    """(what it prints of the snapshot, without the domain; its error) for a document that is redefined."""
    given = for_the_test_driver(document.read_bytes(), folder)
    own = re.search(rb"  <domain type=.*</domain>\n", given, re.S)
    usable = own and b"<name>lab</name>" in own.group(0)
    default = for_the_test_driver((document.parent.parent / "domain.xml").read_bytes(), folder)
    (folder / "given.xml").write_bytes(given)
    (folder / "domain.xml").write_bytes(own.group(0) if usable else default)
    out, error = virsh(f"define {folder}/domain.xml", f"snapshot-create lab {folder}/given.xml --redefine --current",
                       "snapshot-current lab")
    shown = out[out.find("<domainsnapshot>"):].strip() + "\n"
    shown = re.sub(r"  <(domain|inactiveDomain) .*</\1>\n", "", shown, flags=re.S)
    return shown.replace(str(folder) + "/", "/images/"), error


def compare_good(document, folder):
    key = document.stem.removeprefix("redefine-")
    shown, error = ask(document, folder)
    recorded = document.with_suffix(".out").read_text().split("aligned:\n")[1]
    if error:
        return None if key in ONLY_WE_ACCEPT or key in WE_PRINT_MORE else f"libvirt refuses it: {error}"
    if shown == recorded or key in WE_PRINT_MORE:
        return None
    return f"libvirt prints\n{shown}\nwe print\n{recorded}"


def compare_bad(document, folder):
    key = document.stem.removeprefix("redefine-")
    _, error = ask(document, folder)
    recorded = document.with_suffix(".err").read_text()
    if not error:
        return None if key in ONLY_WE_REFUSE else "libvirt accepts it"
    words = re.sub(r"^\(domain_snapshot\):\d+: ", "", error.replace(str(folder) + "/", "/images/"))
    if SAME_REFUSAL_OTHER_WORDS.get(key, "\0") in error:
        return None
    return None if words in recorded else f"libvirt says: {error}\nwe say: {recorded}"


def main(root):
    if not shutil.which("virsh"):
        print("skipped: no virsh")
        return 77
    faults = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        images(folder)
        for kind, compare in (("good", compare_good), ("bad", compare_bad)):
            for document in sorted((root / kind).glob("redefine-*.xml")):
                fault = compare(document, folder)
                if fault:
                    faults += 1
                    print(f"{kind}/{document.name}: {fault}")
    print(f"{faults} differences")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
