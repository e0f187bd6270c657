"""What a long run on one guest asks again and again: whose files lie about for nothing, and which programs work for it."""
import json
import pathlib
import xml.etree.ElementTree as ElementTree

import harness
from scratch import pids_naming, tool

POINT = "{https://domsnap.invalid/xmlns/record/1}"


def chain(path):
    """The image and all that lie below it."""
    images = json.loads(tool("qemu-img", "info", "-U", "--backing-chain", "--output=json", path))
    return {pathlib.Path(image["filename"]) for image in images}


def content(file):
    """The document below the line with the checksum."""
    return ElementTree.fromstring(file.read_text().split("\n", 1)[1])


def images_below(folder):
    """{memory image: the one that it rests on}, as the ledger has it."""
    entries = [content(file) for file in (folder / "files").glob("*.xml")]
    return {entry.get("path"): entry.find("content").get("parent") for entry in entries if entry.find("content") is not None}


def named_by(record, below):
    """The files that a snapshot's record names, with what they rest on."""
    root, needed = content(record), set()
    for memory in root.findall("memory[@file]"):
        image = memory.get("file")
        while image:
            needed.add(pathlib.Path(image))
            image = below.get(image)
    for point in [*root.iter(POINT + "point"), *root.iter(POINT + "memory")]:
        needed.update(chain(pathlib.Path(point.get("file"))))
    return needed


def lying_ready(test):
    """The overlays of a guest that is warm (docs/formats/warm.md)."""
    return {pathlib.Path(overlay["path"]) for file in test.scratch.runtime.glob("*/warm.json")
            for overlay in json.loads(file.read_text())["overlays"]}


def strays(test, prefixes):
    """Files of the domain g, or half of one, that neither its disks nor its snapshots need. prefixes: how the names of all
    that is made in the scratch folder begin."""
    folder = test.scratch.state / "domains/g"
    needed = {test.scratch / "vda.qcow2", test.scratch / "vdb.qcow2"} | lying_ready(test)
    for path in test.sources().values():
        needed.update(chain(path))
    for record in (folder / "snapshots").glob("*.xml"):
        needed.update(named_by(record, images_below(folder)))
    made = [path for path in harness.kept_files(test.scratch.path.iterdir()) if path.name.startswith(prefixes)]
    made += [*(folder / "memory").iterdir(), *folder.rglob(".domsnap-*")]
    return sorted(str(path) for path in made if path not in needed)


def programs(folder, name):
    """The pids of those that run a program of that name for this scratch folder."""
    found = []
    for pid in pids_naming(folder):
        try:
            if name in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode():
                found.append(pid)
        except OSError:
            pass  # it has just ended
    return found
