"""Going back at once: the guest runs before its memory is there, a page server gives it the rest, and whatever becomes of
that server or its image, the guest gets its own memory or stands still."""
import json
import os
import pathlib
import random
import signal
import time

import harness
from checkpoints import CheckpointTest
from harness import wait_for
from scratch import has_ended

PAGE = 4096


class AtOnce(CheckpointTest):
    def pages(self):
        """What the page server said last, or None."""
        for path in self.scratch.runtime.glob("*/pages.json"):
            return json.loads(path.read_text())
        return None

    def wait_until_loaded(self):
        wait_for(lambda: self.pages()["state"] == "complete", 120, "all memory is there")
        wait_for(lambda: has_ended(self.pages()["pid"]), 20, "the page server has ended")

    def revert(self, *options):
        """What it says of the way that it went."""
        result = self.cli("snapshot-revert", "g", "s", "--new-process", *options)
        self.assertEqual((result.code, result.out), (0, "Domain snapshot s reverted\n\n"), result.err)
        return result.err

    def test_twice_then_eager_then_paused(self):
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        before = self.qemu_pid()
        for _ in range(2):
            self.damage(guest)
            self.assertIn("memory as it is needed", self.revert())
            self.assert_back(guest, marks)
            self.wait_until_loaded()
            self.assert_back(guest, marks)
        self.assertTrue(has_ended(before))
        self.assertTrue(pathlib.Path(f"{memory}.hot").exists(), "what was wanted first is remembered")
        self.damage(guest)
        self.assertIn("memory first", self.revert("--eager"))
        self.assertIsNone(self.pages())
        self.assert_back(guest, marks)
        self.revert("--paused")
        self.assertEqual(self.state(), "paused")
        self.assertTrue(guest.is_silent())
        self.ok("resume", "g")
        self.assert_back(guest, marks)
        self.ok("snapshot-delete", "g", "s")
        self.assertFalse(pathlib.Path(f"{memory}.hot").exists())
        self.assertEqual(self.leftovers(), [])

    def leftovers(self):
        return [path.name for path in self.scratch.runtime.iterdir() if path.name.endswith((".next", "-trial"))]

    def test_a_killed_server_is_replaced_by_itself(self):
        """Ten kills at random moments of the paging-in. About a third of them find QEMU's main loop waiting for a page."""
        guest = self.boot(memory_mib=768)
        marks, _ = self.checkpoint(guest, fill=500)
        self.damage(guest)
        self.revert()
        killed = set()
        while len(killed) < 10 and self.kill_working_server(killed):
            time.sleep(random.uniform(0, 0.05))
        self.assertGreater(len(killed), 2, "the memory came too fast to be interrupted")
        self.assert_back(guest, marks)
        self.wait_until_loaded()
        self.assert_back(guest, marks)

    def kill_working_server(self, killed):
        """Kills one that has taken over: QEMU 7.2 ends with a segmentation fault if its source goes away again before that. False
        if all memory is there."""
        wait_for(lambda: self.pages()["pid"] not in killed or self.pages()["state"] != "loading", 60, "another server")
        pages = self.pages()
        if pages["state"] != "loading":
            return False
        try:
            os.kill(pages["pid"], signal.SIGKILL)
        except ProcessLookupError:
            return False  # it has just done its work
        killed.add(pages["pid"])
        return True

    def test_both_killed(self):
        """The server and who watches over it: the next command sees to it, if QEMU still listens."""
        guest = self.boot(memory_mib=768)
        marks, _ = self.checkpoint(guest, fill=500)
        self.damage(guest)
        self.revert()
        self.kill_both()
        if not self.goes_on(self.ok("recover", "g"), marks):
            return
        self.kill_both()
        # A checkpoint needs all of the memory: it starts a server, and waits. Then it is as good as any.
        result = self.cli("snapshot-create-as", "g", "later", "--memspec", f"file={self.scratch / 'later.mem'}")
        if not self.goes_on(result.err, marks):
            return
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("waits until the guest has all of its memory", result.err)
        self.assertEqual(self.pages()["state"], "complete")
        self.assert_back(guest, marks)
        self.damage(guest)
        self.ok("snapshot-revert", "g", "later", "--new-process")
        self.assert_back(guest, marks)

    def goes_on(self, said, marks):
        """True if another server took over. QEMU's main loop may itself have been waiting for a page when the server died: then
        its monitors hear nobody, domsnap says so, and going back again is what is left."""
        if "another one goes on" in said:
            return True
        self.assertIn("cannot be loaded", said)
        self.ok("destroy", "g")
        self.ok("snapshot-revert", "g", "s")
        self.assert_back(self.guest(), marks)
        return False

    def kill_both(self):
        """Stopped first: what is looked at then does not change."""
        server, supervisor = self.pages()["pid"], self.pages()["supervisor_pid"]
        for pid in (server, supervisor):
            os.kill(pid, signal.SIGSTOP)
        pages = self.pages()
        self.assertEqual(pages, {**pages, "state": "loading", "pid": server})
        for pid in (supervisor, server):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: has_ended(supervisor), 20, "the killed supervisor is gone")
        wait_for(lambda: has_ended(server), 20, "the killed server is gone")

    def test_other_verbs_meanwhile(self):
        guest = self.boot()
        marks, _ = self.checkpoint(guest)
        self.revert()
        self.ok("suspend", "g")
        self.ok("resume", "g")
        self.revert()
        self.assert_back(guest, marks)
        self.revert()
        server = self.pages()["pid"]
        self.ok("destroy", "g")
        wait_for(lambda: has_ended(server), 20, "the page server went with its guest")
        self.assertEqual(self.state(), "shut off")
        self.revert()
        self.assert_back(guest, marks)

    def test_a_damaged_page_is_never_fed(self):
        guest = self.boot()
        _, memory = self.checkpoint(guest)
        self.damage_pages_of_fill(memory)
        pathlib.Path(f"{memory}.hot").unlink(missing_ok=True)
        self.revert()
        wait_for(lambda: self.pages()["state"] == "damaged", 120, "the damage is found")
        self.assertEqual(self.state(), "paused")
        self.assertTrue(guest.is_silent())
        self.refused("resume", "g", naming=[memory, "checksum"])
        self.refused("snapshot-create-as", "g", "t", naming=[memory, "checksum"])
        self.refused("snapshot-revert", "g", "s", "--eager", naming=[memory, "checksum"])
        self.ok("destroy", "g")

    def damage_pages_of_fill(self, memory):
        """The last page of data below 128 MiB: far from what a guest needs first."""
        with open(memory, "r+b") as image:
            image.seek(0)
            for page in range(128 * 256 - 1, 0, -1):
                image.seek(page * PAGE)
                content = image.read(PAGE)
                if content.strip(b"\0"):
                    image.seek(page * PAGE + 100)
                    image.write(bytes([content[100] ^ 1]))
                    return
        self.fail("no page of data")


if __name__ == "__main__":
    harness.main()
