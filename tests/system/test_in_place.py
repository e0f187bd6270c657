"""Going back in place: the running QEMU's guest becomes the snapshot's, page for page and sector for sector, as often as one
likes; whatever goes wrong once its memory may have been touched ends in a new process, never in a guest that is half the
one and half the other."""
import json
import os
import signal

import foreign
import harness
from harness import wait_for
from scratch import has_ended


class InPlace(harness.SystemTest):
    def checkpoint(self, guest, name, fill=32, seed=7):
        """Memory and disks; returns what must be found again."""
        guest.do(f"fill {seed} {fill}")
        guest.do(f"note {name}")
        guest.do(f"scribble vda 0x600000 64 {seed}")
        marks = self.marks_of(guest)
        self.ok("snapshot-create-as", "g", name, "--memspec", f"file={self.image(name)}")
        return marks

    def image(self, name):
        return self.scratch / f"{name}.mem"

    def damage(self, guest):
        guest.do("fill 99 16")
        guest.do("note damaged")
        guest.do("scribble vda 0x600000 64 99")

    def marks_of(self, guest):
        return {**super().marks_of(guest), "disk": guest.do("disk-hash vda 0x600000 64")["hash"]}

    def revert(self, name, *options, way="in place"):
        result = self.cli("snapshot-revert", "g", name, *options)
        self.assertEqual((result.code, result.out), (0, f"Domain snapshot {name} reverted\n\n"), result.err)
        self.assertIn(f"way: {way}", result.err)
        return result.err

    def overlays(self):
        return sorted(path.name for path in self.scratch.path.glob("vd*"))

    def leftovers(self):
        """What a revert needs only while it goes on."""
        return [path.name for folder in self.scratch.runtime.iterdir() if folder.is_dir()
                for path in folder.iterdir() if path.name.startswith(("state-", "warm"))]

    def nodes(self):
        answer = self.ok("qemu-monitor-command", "g", '{"execute":"query-named-block-nodes","arguments":{"flat":true}}')
        return sorted(node["node-name"] for node in json.loads(answer)["return"])

    def test_many_times_between_two_snapshots(self):
        guest = self.boot(parameters="tick_ms=20")
        guest.do("dirty 8 24")
        marks = {"a": self.checkpoint(guest, "a", seed=7)}
        self.damage(guest)
        marks["b"] = self.checkpoint(guest, "b", seed=8)
        before = self.qemu_pid()
        for name in "aaabbbababab":
            self.damage(guest)
            self.revert(name)
            self.assert_back(guest, marks[name])
            self.assertEqual(self.ok("snapshot-current", "g", "--name").strip(), name)
        self.assertEqual(self.qemu_pid(), before)
        self.assertEqual(self.leftovers(), [])
        nodes, overlays = self.nodes(), self.overlays()
        self.revert("b")
        self.assertEqual(len(self.nodes()), len(nodes), "nodes are not left open")
        self.assertEqual(len(self.overlays()), len(overlays), "overlays are not left behind")
        self.ok("snapshot-verify", "g")
        # And what follows is as ever: another snapshot on top, both gone.
        marks["c"] = self.checkpoint(guest, "c", seed=9)
        self.damage(guest)
        self.revert("c")
        self.assert_back(guest, marks["c"])
        for name in "abc":
            self.ok("snapshot-delete", "g", name)
        self.assert_back(guest, marks["c"])

    def test_every_page_is_the_images(self):
        for machine in ("q35", "pc"):
            with self.subTest(machine):
                guest = self.boot(machine=machine, memory_mib=192, vcpus=2, devices="<video><model type='vga'/></video>",
                                  parameters="tick_ms=20")
                guest.do("dirty 16 16")
                self.checkpoint(guest, "s")
                self.damage(guest)
                self.revert("s", "--paused")
                self.assertEqual(self.state(), "paused")
                self.assertEqual(foreign.pages_that_differ(self.qemu_pid(), foreign.ram_address(self), self.image("s")), [])
                self.ok("resume", "g")
                self.assert_healthy()
                self.ok("destroy", "g")
                self.ok("undefine", "g", "--snapshots")
                self.guests.pop("g").close()
                for path in self.scratch.path.glob("vd*"):
                    path.unlink()

    def test_after_other_ways_and_paused(self):
        guest = self.boot()
        marks = self.checkpoint(guest, "s")
        self.revert("s", "--new-process", way="new process, memory as it is needed")
        wait_for(self.all_is_loaded, 120, "all memory is there")
        self.damage(guest)
        self.revert("s")
        self.assert_back(guest, marks)
        self.ok("suspend", "g")
        self.revert("s", "--paused")
        self.assertEqual(self.state(), "paused")
        self.revert("s", "--running")
        self.assert_back(guest, marks)
        self.revert("s", "--eager", way="new process, memory first")
        self.revert("s")
        self.assert_back(guest, marks)
        # A snapshot of the guest that was gone back to is one like any other.
        again = self.checkpoint(guest, "t", seed=11)
        self.damage(guest)
        self.revert("t")
        self.assert_back(guest, again)

    def test_warm(self):
        guest = self.boot(parameters="tick_ms=20")
        marks = self.checkpoint(guest, "s")
        self.damage(guest)
        other = self.checkpoint(guest, "t", seed=12)
        plan = self.ok("snapshot-warm", "g", "s", "--dry-run")
        self.assertIn("device state", plan)
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(self.ok("snapshot-warm", "g", "s"), "Domain snapshot s is warm\n\n")
        self.assertRegex(self.ok("snapshot-info", "g", "s"), r"Warm:\s+yes")
        self.assertNotIn("Warm", self.ok("snapshot-info", "g", "t"))
        self.ok("snapshot-verify", "g")
        before = self.overlays()
        for _ in range(3):
            self.damage(guest)
            self.assertNotIn("create overlay", self.ok("snapshot-revert", "g", "s", "--dry-run"))
            self.revert("s")
            self.assert_back(guest, marks)
            self.assertRegex(self.ok("snapshot-info", "g", "s"), r"Warm:\s+yes")
            self.assertEqual(len(self.overlays()), len(before), "what went makes room for what lies ready")
        self.revert("t")  # the other one is not hindered
        self.assert_back(guest, other)
        self.assertRegex(self.ok("snapshot-info", "g", "s"), r"Warm:\s+yes")
        self.ok("snapshot-warm", "g", "t")
        self.assertNotIn("Warm", self.ok("snapshot-info", "g", "s"))
        self.revert("t")
        self.assert_back(guest, other)
        self.assertEqual(self.ok("snapshot-warm", "g", "--off"), "Nothing lies ready in domain g\n\n")
        self.assertEqual(self.leftovers(), [])
        self.ok("snapshot-verify", "g")
        # With the domain it ends too, and leaves nothing.
        self.ok("snapshot-warm", "g", "s")
        left = set(self.overlays())
        self.ok("destroy", "g")
        self.assertEqual(len(left - set(self.overlays())), 2)
        self.assertEqual(self.leftovers(), [])
        self.revert("t", way="new process")
        self.assert_back(guest, other)

    def test_a_delete_ends_it(self):
        guest = self.boot()
        self.checkpoint(guest, "s")
        self.damage(guest)
        marks = self.checkpoint(guest, "t", seed=12)
        self.ok("snapshot-warm", "g", "t")
        self.ok("snapshot-delete", "g", "s")
        self.assertEqual(self.leftovers(), [])
        self.revert("t")
        self.assert_back(guest, marks)
        self.ok("snapshot-verify", "g")

    def test_a_state_that_qemu_refuses_ends_in_a_new_process(self):
        guest = self.boot()
        marks = self.checkpoint(guest, "s")
        self.ok("snapshot-warm", "g", "s")
        state = next(self.scratch.runtime.glob("*/state-*.qcow2"))
        with open(state, "r+b") as file:
            file.seek(state.read_bytes().index(b"QEVM"))
            file.write(b"none")
        before = self.qemu_pid()
        self.damage(guest)
        said = self.revert("s", way="new process")
        self.assertIn("not in place", said)
        self.assertTrue(has_ended(before))
        self.assert_back(guest, marks)
        self.assertEqual(self.leftovers(), [])
        self.damage(guest)
        wait_for(self.all_is_loaded, 120, "all memory is there")
        self.revert("s")
        self.assert_back(guest, marks)

    def test_a_damaged_page_is_found_before_anything_is_written(self):
        guest = self.boot()
        self.checkpoint(guest, "s")
        guest.do("fill 99 32")
        guest.do("note later")
        ram, states = foreign.pages_of(self.image("s"))
        differ = foreign.pages_that_differ(self.qemu_pid(), foreign.ram_address(self), self.image("s"))
        page = next(page for page in reversed(differ) if states[page] == 2)
        with open(self.image("s"), "r+b") as image:
            image.seek(page * foreign.PAGE)
            content = image.read(1)
            image.seek(page * foreign.PAGE)
            image.write(bytes([content[0] ^ 1]))
        before, sources, notes = self.qemu_pid(), self.sources(), guest.status()["notes"]
        self.refused("snapshot-revert", "g", "s", naming=[self.image("s"), "checksum"])
        self.assertEqual((self.qemu_pid(), self.sources(), guest.status()["notes"]), (before, sources, notes))
        self.assert_healthy()

    def test_killed_half_way(self):
        guest = self.boot(memory_mib=384, parameters="tick_ms=20")
        marks = self.checkpoint(guest, "s", fill=160)
        for number in range(6):
            self.damage(guest)
            guest.do("fill 99 160", seconds=180)
            process = self.spawn("snapshot-revert", "g", "s")
            self.kill_soon(process, number)
            said = self.ok("recover", "g")
            if "took back" in said:
                self.assertIn("damaged", guest.status()["notes"])
                self.assert_healthy()
            elif "finished" in said:
                self.assert_back(guest, marks)
            else:  # before its first effect, or after its last
                self.assert_healthy()
        self.assertEqual(self.leftovers(), [])
        self.revert("s", way="")
        self.assert_back(guest, marks)

    def kill_soon(self, process, number):
        """While the guest stands still for it, or a little before or after."""
        journal = next(self.scratch.state.glob("domains/*")) / "journal"
        wanted = [b"begun 5", b"begun 2", b"begun 5", b"begun 4", b"begun 5", b"begun 6"][number]

        def reached():
            try:
                return process.poll() is not None or wanted in journal.read_bytes()
            except OSError:
                return False
        wait_for(reached, 60, "the revert is under way")
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()

    def test_what_cannot_be(self):
        guest = self.boot()
        self.checkpoint(guest, "s")
        self.assertIn("Not in place: --new-process was asked for",
                      self.ok("snapshot-revert", "g", "s", "--new-process", "--dry-run"))
        self.ok("snapshot-create-as", "g", "i")
        self.assertIn("Not in place: its memory is not in an image", self.ok("snapshot-revert", "g", "i", "--dry-run"))
        self.refused("snapshot-warm", "g", "i", naming=["in place", "not in an image"])
        self.refused("snapshot-warm", "g", "nosuch", naming="nosuch")
        self.usage_error("snapshot-warm", "g")
        self.usage_error("snapshot-warm", "g", "s", "--off")
        self.ok("destroy", "g")
        self.refused("snapshot-warm", "g", "s", naming="not running")


if __name__ == "__main__":
    harness.main()
