"""The examples of the manual pages, run as they stand there.

In a page's EXAMPLES a line "$ COMMAND" is run, and what follows it is what it prints (empty lines aside; not compared
where the output goes to a file). "$ cat FILE" is the other way round: the file is made so. /images is the scratch folder.
"""
import pathlib
import re
import shlex

from harness import Disk, SystemTest, main

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "man"


def examples(page):
    """(command's words, the lines after it) of each command."""
    section = (MANUAL / page).read_text().split("# EXAMPLES\n")[1].split("\n# ")[0]
    for block in re.findall(r"^```\n(.*?)^```$", section, re.M | re.S):
        for command in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, *printed = command.splitlines()
            yield shlex.split(line), printed


class Manual(SystemTest):
    def disks(self):
        return [Disk(target, self.scratch.image(f"{target}.qcow2")) for target in ("vda", "vdb")]

    def try_command(self, words, printed):
        words = [word.replace("/images", str(self.scratch.path)) for word in words]
        printed = [line.replace("/images", str(self.scratch.path)) for line in printed]
        if words[0] == "cat":
            return (self.scratch / words[1]).write_text("\n".join(printed) + "\n")
        self.assertEqual(words[0], "domsnap")
        out = self.ok(*[word for word in words[1:] if not word.startswith(">")], cwd=self.scratch.path)
        if words[-1].startswith(">"):
            self.assertTrue(out.strip())
        else:
            squeezed = [re.sub(r" +|-{5,}", " ", line).rstrip() for line in printed if line.strip()]
            self.assertEqual([re.sub(r" +|-{5,}", " ", line).rstrip() for line in out.splitlines() if line.strip()], squeezed)
        return None

    def try_page(self, page):
        count = 0
        for words, printed in examples(page):
            with self.subTest(f"{page}: {shlex.join(words)}"):
                self.try_command(words, printed)
            count += 1
        self.assertGreater(count, 2, page)

    def test_domains(self):
        (self.scratch / "vm.xml").write_text(self.domain_xml("vm", self.disks()))
        self.try_page("domsnap-domain.1.scd")

    def test_snapshots(self):
        self.define("vm", self.disks())
        self.try_page("domsnap-snapshot.1.scd")

    def test_documents(self):
        (self.scratch / "vm.xml").write_text(self.domain_xml("vm", self.disks()))
        self.try_page("domsnap-xml.1.scd")

    def test_of_a_running_guest(self):
        self.boot("vm", self.disks())
        self.try_page("domsnap.1.scd")
        self.assert_healthy("vm")
        self.ok("snapshot-delete", "vm", "before-upgrade")
        # It leaves vdb out, which keeps its later content then: RAM and that disk are of two moments.
        self.try_page("domsnap-snapshot-xml.5.scd")
        for snapshot in ("mixed", "before-upgrade"):
            self.ok("snapshot-revert", "vm", snapshot)
            self.guest("vm").wait_for_ticks()


if __name__ == "__main__":
    main()
