"""A folder of a test's own: state, sockets, images. Ends every process that it gave rise to, and goes away."""
import hashlib
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

from guest import wait_for


def requires(condition, why):
    """For a test's decorator or its middle: skips with the reason."""
    if not condition:
        raise unittest.SkipTest(why)


def qemu():
    return os.environ.get("DOMSNAP_QEMU") or shutil.which("qemu-system-x86_64") or "qemu-system-x86_64"


def qemu_tool(name):
    """qemu-img and its like of the same version as $DOMSNAP_QEMU."""
    beside = pathlib.Path(qemu()).parent / name
    return str(beside) if beside.is_file() else name


def tool(name, *arguments):
    done = subprocess.run([qemu_tool(name), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{name} {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


class Scratch:
    def __init__(self):
        # Short, because the path of a unix socket may have 107 bytes only.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="dst-"))
        self.state, self.runtime = self.path / "state", self.path / "run"
        self.mounts = []
        self._life = self._start_janitor()

    def _start_janitor(self):
        """A process that clears up when this one has died without doing so, as after ctest's timeout: its SIGKILL leaves
        no time, and QEMU outlives the command that started it. Returns the pipe that it watches."""
        janitor = subprocess.Popen([sys.executable, __file__, str(self.path)], stdin=subprocess.PIPE, start_new_session=True)
        janitor.wait(60)
        return janitor.stdin

    def __truediv__(self, name):
        return self.path / name

    def environment(self):
        return {**os.environ, "DOMSNAP_STATE_DIR": str(self.state), "DOMSNAP_RUNTIME_DIR": str(self.runtime),
                "HOME": str(self.path), "LC_ALL": "C.UTF-8", "TZ": "UTC", "DOMSNAP_QEMU": qemu()}

    def image(self, name, size="64M", fmt="qcow2"):
        path = self.path / name
        tool("qemu-img", "create", "-q", "-f", fmt, path, size)
        return path

    def tmpfs(self, name, size):
        """A small file system to fill up; skips where it cannot be mounted."""
        folder = self.path / name
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
                              capture_output=True, text=True, check=False)
        requires(done.returncode == 0, f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
        self.mounts.append(folder)
        return folder

    def pids(self):
        return pids_naming(self.path)

    def end_processes(self):
        end_processes_naming(self.path)

    def logs(self):
        texts = []
        for path in sorted(self.path.rglob("*.log")):
            if path.is_file() and path.stat().st_size:
                texts.append(f"--- {path.relative_to(self.path)}\n{path.read_text(errors='replace')[-3000:]}")
        return "\n".join(texts)

    def remove(self):
        self.end_processes()
        for folder in self.mounts:
            subprocess.run(["umount", "-l", str(folder)], check=False)
        subprocess.run(["chmod", "-R", "u+rwx", str(self.path)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.path, ignore_errors=True)
        self._life.close()


def pids_naming(folder):
    """Processes whose command line names this scratch folder: its name is random, so they are its own."""
    mark, found = str(folder).encode(), []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            line = pathlib.Path("/proc", entry, "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        if mark in line and __file__.encode() not in line:
            found.append(int(entry))
    return found


def has_ended(pid):
    """A process that dies loses its command line first, and its files and sockets only then."""
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def end_processes_naming(folder):
    pids = pids_naming(folder)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_for(lambda: all(map(has_ended, pids)) and not pids_naming(folder), 20, "the processes of the scratch folder are gone")


def _be_janitor(folder):
    # Forked away from the parent: what ends a test ends its children too, found by their parent.
    if os.fork():
        os._exit(0)
    sys.stdin.buffer.read()
    if not os.path.isdir(folder):
        return
    end_processes_naming(folder)
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        if line.split()[1].startswith(folder + "/"):
            subprocess.run(["umount", "-l", line.split()[1]], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _fingerprint_of(path):
    info = path.lstat()
    kind = stat.filemode(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return kind, os.readlink(path)
    if not stat.S_ISREG(info.st_mode):
        return kind, ""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return kind, digest.hexdigest()


def fingerprint(folder):
    """Every file below it with its mode and content. Logs grow, lock files come and go at every command, and what was
    asked of QEMU is kept for the next time; they carry nothing of anybody's."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        name = path.relative_to(folder)
        if path.suffix not in (".log", ".lock") and not {"locks", "cache"} & set(name.parts):
            found[str(name)] = _fingerprint_of(path)
    return found


def difference(before, after):
    """The lines in which two fingerprints differ."""
    lines = [f"gone: {name}" for name in before if name not in after]
    lines += [f"new: {name}" for name in after if name not in before]
    return lines + [f"changed: {name}" for name in before if name in after and before[name] != after[name]]


if __name__ == "__main__":
    _be_janitor(sys.argv[1])
