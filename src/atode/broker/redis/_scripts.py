"""The Lua scripts, read once from the folder `lua`; each says at its top what it takes."""

from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files

Argument = str | bytes | int
Command = tuple[Argument, ...]


class Script:
    """A script that is called by its digest, with its text at hand for a server that lacks it."""

    def __init__(self, name: str, *, uses: Sequence[str] = ()) -> None:
        self.files = tuple(f"{part}.lua" for part in (*uses, name))
        folder = files("atode.broker.redis") / "lua"
        self.text = "\n".join((folder / file).read_text("utf-8") for file in self.files)
        # Not for security: Redis names scripts by this digest.
        self._digest = sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        _TEXTS[self._digest] = self.text

    def call(self, keys: Sequence[str | bytes], *arguments: Argument) -> Command:
        """The command that runs it."""
        return ("EVALSHA", self._digest, len(keys), *keys, *arguments)


_TEXTS: dict[Argument, str] = {}


def with_text(command: Command) -> Command:
    """The same call for a server that does not know the script yet."""
    return ("EVAL", _TEXTS[command[1]], *command[2:])


ENQUEUE = Script("enqueue")
CLAIM = Script("claim")
EXTEND = Script("extend", uses=("_held",))
SETTLE = Script("settle", uses=("_held", "_remove", "_count", "_trim"))
PROMOTE = Script("promote")
REAP = Script("reap")
REPAIR = Script("repair")
PRUNE = Script("prune", uses=("_trim",))
COUNTS = Script("counts")
BEAT = Script("beat")
FIND = Script("find")
WAITING = Script("waiting")
MEMORY = Script("memory")
RUN = Script("run", uses=("_take",))
CANCEL = Script("cancel", uses=("_take", "_trim"))
MARKED = Script("marked", uses=("_held",))
ARCHIVE = Script("archive", uses=("_take", "_trim"))
DELETE = Script("delete", uses=("_take", "_unlock"))
REPLACE = Script("replace")
DETACH = Script("detach")
CLEAR = Script("clear", uses=("_take", "_unlock"))
DEPART = Script("depart")
GIVE = Script("give")
GIVEN = Script("given", uses=("_take", "_remove", "_unlock"))
EXPECT = Script("expect", uses=("_forget",))
RECEIVE = Script("receive", uses=("_forget",))
FINISH = Script("finish")

ALL = (
    *(ENQUEUE, CLAIM, EXTEND, SETTLE, PROMOTE, REAP, REPAIR, PRUNE, COUNTS, BEAT),
    *(FIND, WAITING, MEMORY, RUN, CANCEL, MARKED, ARCHIVE, DELETE, REPLACE, DETACH, CLEAR),
    *(DEPART, GIVE, GIVEN, EXPECT, RECEIVE, FINISH),
)
