"""A plan that was printed is the plan that runs: the same steps in the same order, and the files that it names are made and
removed, and no others."""
import json
import re

import harness

MAKES = {"make-overlay", "copy-image", "reserve-image", "make-holder"}
# The words of each step, by the name that the journal has for it.
WORDS = [("create overlay", "make-overlay"), ("copy ", "copy-image"), ("create memory image", "reserve-image"),
         (r"create \S+, which will hold the memory", "make-holder"), ("open .* in QEMU as node", "add-node"), ("open .* in QEMU", "open-images"),
         ("let QEMU close node", "drop-node"), ("let QEMU close", "close-nodes"), ("put the device state", "prepare-state"), ("stop the guest; in place", "rewind-guest"),
         ("stop the guest; at one instant", "switch-disks"), ("wait until .* is complete and durable", "await-capture"),
         ("save memory and disks", "save-internal"), ("create internal snapshot", "create-internal"),
         ("delete internal snapshot", "delete-internal"), ("bring back internal snapshot", "apply-internal"),
         ("write the domain's definition", "put-definition"), ("note what the running guest uses", "put-live"),
         ("write the record", "put-record"), ("remove the record", "remove-record"), ("make '.*' the current", "set-current"),
         ("no snapshot is current", "set-current"), ("check that QEMU takes", "try-out"), ("end the running guest:", "kill-guest"),
         ("end the running guest", "end-guest"), ("wait until the old QEMU", "await-end"),
         ("start QEMU", "start-guest"), ("let the guest run", "resume-guest"),
         ("start a second QEMU", "prepare-guest"), ("give the new QEMU", "start-guest"), ("merge .* let it go on there", "commit-active"), ("merge ", "merge"), ("pull ", "pull"),
         ("let .* rest on", "rebase"), ("write memory image .* anew", "fold-image"), ("remove ", "remove-file"), ("note by what", "note-frozen")]


def kind(step):
    return next(name for words, name in WORDS if re.match(words, step["action"]))


def unstamped(path):
    """Generated names hold the time of the command."""
    return re.sub(r"\.\d{10}(-\d+)?$", ".NOW", str(path))


class ExecutedPlan(harness.SystemTest):
    def files(self):
        """The images and memory files: what is not the domain's state and not the test's own."""
        kept = self.scratch.state / "domains" / "g" / "memory"
        found = [*self.scratch.path.iterdir(), *(kept.iterdir() if kept.is_dir() else ())]
        return {unstamped(p) for p in harness.kept_files(found) if p.suffix not in (".xml", ".log", ".trace")}

    def run_as_printed(self, *arguments):
        plan = json.loads(self.ok(*arguments, "--dry-run", "--json"))
        trace = self.scratch / "steps.trace"
        trace.unlink(missing_ok=True)
        before = self.files()
        self.ok(*arguments, env={"DOMSNAP_TRACE": str(trace)})
        after = self.files()
        with self.subTest(arguments=arguments):
            self.assertEqual([line.split()[1] for line in trace.read_text().splitlines()], [kind(s) for s in plan["steps"]])
            made = {unstamped(file) for s in plan["steps"] if kind(s) in MAKES for file in s["files"]}
            gone = {unstamped(file) for s in plan["steps"] if kind(s) == "remove-file" for file in s["files"]}
            # A file beside the QEMU's sockets, not among the images: made and used up by the same plan.
            gone -= {unstamped(file) for s in plan["steps"] if kind(s) == "prepare-state" for file in s["files"]}
            self.assertEqual(after - before, made - gone - before)
            self.assertEqual(before - after, gone - made)
            self.assertEqual(after & made, made, "what was made under a name that was there in another second")
            self.assertTrue(plan["guest"] and plan["space"] >= 0)
        return plan

    def test_running(self):
        self.boot()
        full = self.run_as_printed("snapshot-create-as", "g", "full", "--memspec", self.scratch / "full.mem")
        self.assertIn("The guest", full["guest"])
        self.assertEqual([kind(s) for s in full["steps"] if s["guestPaused"]], ["switch-disks"])
        self.assertGreater(full["space"], 64 << 20)
        self.run_as_printed("snapshot-create-as", "g", "mixed", "--disk-only", "--diskspec", "vda,snapshot=internal")
        self.run_as_printed("snapshot-create-as", "g", "inside", "--memspec", "snapshot=internal", "--diskspec", "vda,snapshot=external")
        self.run_as_printed("snapshot-revert", "g", "full")
        self.run_as_printed("snapshot-delete", "g", "mixed")
        self.run_as_printed("snapshot-revert", "g", "inside")
        self.assert_healthy()
        self.run_as_printed("snapshot-delete", "g", "full", "--children")
        self.assertEqual(self.snapshots(), [])
        self.assert_healthy()

    def test_off(self):
        self.define()
        self.run_as_printed("snapshot-create-as", "g", "s", "--diskspec", "vda,snapshot=internal", "--diskspec", "vdb,snapshot=external")
        self.run_as_printed("snapshot-revert", "g", "s")
        self.run_as_printed("snapshot-delete", "g", "s")

    def test_what_stops_it_is_said_instead(self):
        self.define()
        for arguments in (["snapshot-create-as", "g", "s", "--memspec", self.scratch / "m"], ["snapshot-revert", "g", "none"],
                          ["snapshot-delete", "g", "none"]):
            said = self.refused(*arguments)
            self.assertEqual(self.refused(*arguments, "--dry-run"), said)


if __name__ == "__main__":
    harness.main()
