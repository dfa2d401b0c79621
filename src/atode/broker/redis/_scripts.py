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


def is_script(command: Command) -> bool:
    """Whether the command runs a script by its digest."""
    return command[0] == "EVALSHA"


def key_of(command: Command) -> bytes:
    """The first key of a command; all of one command are in one slot of a cluster."""
    key = command[3] if is_script(command) else command[1]
    return key if isinstance(key, bytes) else str(key).encode()


def whole(command: Command) -> Command:
    """The command so that it never sees only some of a queue's keys in a cluster.

    Our scripts also touch hashes that they do not name. While a slot moves from one node to
    another, key by key, such a hash would look as if it did not exist, and its job would be
    dropped. A named key that never exists makes Redis refuse the script for that time.
    Scripts about anything but a queue name all that they touch.
    """
    if not (is_script(command) and key_of(command).startswith(b"asynq:{")):
        return command
    script, digest, count, *rest = command
    end = int(count)
    return (script, digest, end + 1, *rest[:end], key_of(command) + b":never", *rest[end:])


ENQUEUE = Script("enqueue")
CLAIM = Script("claim")
EXTEND = Script("extend", uses=("_held",))
SETTLE = Script("settle", uses=("_held", "_remove", "_count", "_trim"))
PROMOTE = Script("promote")
REAP = Script("reap")
REPAIR = Script("repair")
REGAIN = Script("regain")
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
DELETE = Script("delete", uses=("_take", "_message", "_unlock"))
REPLACE = Script("replace")
DETACH = Script("detach")
AUDIT = Script("audit", uses=("_remove",))
ASTRAY = Script("astray")
REWRITE = Script("rewrite")
REGROUP = Script("regroup")
LOCKS = Script("locks")
DEPART = Script("depart")
GIVE = Script("give", uses=("_message", "_unlock"))
GIVEN = Script("given", uses=("_take", "_remove", "_message", "_unlock"))
EXPECT = Script("expect", uses=("_forget",))
RECEIVE = Script("receive", uses=("_forget",))
FINISH = Script("finish")
SHOW = Script("show")
TICK = Script("tick")
DEFINE = Script("define")
UNDEFINE = Script("undefine")
TAKE_PLACE = Script("take_place")
FREE_PLACE = Script("free_place")
CLEAR = Script("clear", uses=("_take", "_message", "_unlock"))
JOIN = Script("join")
GROUPS = Script("groups", uses=("_message",))
MEMBERS = Script("members", uses=("_member",))
MERGE = Script("merge", uses=("_message", "_unlock", "_member"))
RELEASE = Script("release", uses=("_member",))
RECLAIM = Script("reclaim")

ALL = (
    *(ENQUEUE, CLAIM, EXTEND, SETTLE, PROMOTE, REAP, REPAIR, PRUNE, COUNTS, BEAT),
    *(FIND, WAITING, MEMORY, RUN, CANCEL, MARKED, ARCHIVE, DELETE, REPLACE, DETACH, CLEAR),
    *(DEPART, GIVE, GIVEN, EXPECT, RECEIVE, FINISH),
    *(SHOW, TICK, DEFINE, UNDEFINE, TAKE_PLACE, FREE_PLACE),
    *(JOIN, GROUPS, MEMBERS, MERGE, RELEASE, RECLAIM),
    *(AUDIT, ASTRAY, REWRITE, REGROUP, LOCKS, REGAIN),
)
