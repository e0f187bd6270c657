"""adopt takes over what libvirt 11 and QEMU 10 of Debian's backports leave: the same tests with their libvirtd and their QEMU. Both
come out of the root that bench/compare and bench/beside-libvirtd make ($DOMSNAP_PEERS, else build/peer); without one this is
skipped."""
import os
from unittest import mock

import harness
import test_adopt
from test_virsh_11 import PEERS


class Eleven:
    def peer(self):
        root = PEERS / "backports" / "root"
        harness.requires((root / "usr/sbin/libvirtd").exists(), f"there is no libvirt of backports in {PEERS}: bench/beside-libvirtd makes one")
        return root

    def setUp(self):
        with_theirs = mock.patch.dict(os.environ, DOMSNAP_QEMU=str(self.peer().parent / "bin/qemu-system-x86_64"))
        with_theirs.start()
        self.addCleanup(with_theirs.stop)
        super().setUp()
        self.assertIn("daemon: 11.", self.virsh("version", "--daemon"))


class WithGuest(Eleven, test_adopt.WithGuest):
    pass


class Saved(Eleven, test_adopt.Saved):
    def packings(self):
        return ["zstd", *super().packings()]

    def test_sparse(self):
        """QEMU's mapped-ram is no stream: refused by name."""
        self.saved_in_libvirt("sparse")
        self.assert_refused("g", naming=["'sparse'", "managedsave-remove"])


if __name__ == "__main__":
    harness.main()
