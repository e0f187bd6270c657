"""virsh 11, of Debian's backports, does what virsh 9 does: the same tests with the other program. It comes out of the root that
bench/compare and bench/beside-libvirtd make ($DOMSNAP_PEERS, else build/peer); without one this is skipped."""
import os
import pathlib

import clients
import test_virsh
import test_virsh_console
import test_virsh_verbs

PEERS = pathlib.Path(os.environ.get("DOMSNAP_PEERS") or pathlib.Path(__file__).parents[2] / "build" / "peer")
WRAPPER = """#!/bin/sh
export LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu
exec {root}/usr/bin/virsh "$@"
"""


class Eleven:
    """Puts it first on PATH."""

    def prepare(self):
        root = PEERS / "backports" / "root"
        clients.requires((root / "usr/bin/virsh").exists(), f"there is no virsh of backports in {PEERS}: bench/beside-libvirtd makes one")
        super().prepare()
        folder = self.scratch / "bin"
        folder.mkdir()
        (folder / "virsh").write_text(WRAPPER.format(root=root))
        (folder / "virsh").chmod(0o755)
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{before}"
        self.addCleanup(os.environ.__setitem__, "PATH", before)

    def setUp(self):
        super().setUp()
        self.assertRegex(self.virsh_ok("--version"), r"^1[1-9]\.")


class Checkpoint(Eleven, test_virsh.Virsh):
    pass


class Verbs(Eleven, test_virsh_verbs.Verbs):
    pass


class Console(Eleven, test_virsh_console.Console):
    pass


class Keepalive(Eleven, test_virsh_console.Keepalive):
    pass


if __name__ == "__main__":
    clients.main()
