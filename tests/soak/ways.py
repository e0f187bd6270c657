"""What the soak takes turns in: the ways back, and who is killed on the way."""
import dataclasses


@dataclasses.dataclass
class Way:
    """One way back: the kind of snapshot, the options of snapshot-revert, and the option that says that it is built."""

    name: str
    kind: str = "full"
    options: tuple = ()
    needs: str = ""


WAYS = [Way("in place", needs="--new-process"), Way("at once"), Way("eager", options=("--eager",)),
        Way("mapped", options=("--mapped",), needs="--mapped"), Way("internal", "internal"),
        Way("boot", "disks", ("--running",))]
CREATE = {"full": ("--memspec", "{memory}"), "internal": (), "disks": ("--disk-only",)}
WARM = [(), ("--mapped", "--yes"), ("--tmpfs", "--yes")]  # the latter two go back to it, where nothing was done since
# Who is killed in the midst of a command; "page server, later": when the revert is done, while memory is still loaded.
CREATE_VICTIMS = [(), (), ("domsnap",), ("domsnap-memory",), ("domsnap", "domsnap-memory")]
REVERT_VICTIMS = [(), (), (), ("domsnap",), ("domsnap-memory",), ("later",)]


@dataclasses.dataclass
class Counts:
    rounds: int = 0
    kills: int = 0
    failures: int = 0
    lost: int = 0  # page servers that could not be replaced, as domsnap said
    elsewhere: int = 0  # reverts that were to be in place, and took a new process, as domsnap said
