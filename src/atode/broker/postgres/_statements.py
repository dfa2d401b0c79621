"""The SQL of this broker, each statement in its own file under `sql/`, read once.

A file whose name starts with `_` is a part that others include: `{now}` stands for `_now.sql`.
`{schema}` stays until it is known.
"""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from atode import outcome
from atode.job import ARCHIVABLE, CANCELLABLE, DELETABLE, RUNNABLE, State

_FOLDER = files("atode.broker.postgres") / "sql"

_STATUS: Mapping[State, str] = MappingProxyType(
    {
        State.PENDING: "pending",
        State.SCHEDULED: "pending",
        State.RETRY: "pending",
        State.AGGREGATING: "pending",
        State.ACTIVE: "processing",
        State.COMPLETED: "completed",
        State.ARCHIVED: "failed",
    }
)
"""The word that operators know, by state."""


def _file(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text("utf-8")


# Those that include others come first.
_PARTS = {
    f"{{{name}}}": _file(f"_{name}").rstrip()
    for name in (
        *("settled", "unlocked", "unlocking", "held", "now", "hasty", "job", "claimed"),
        "called_off",
    )
}


def _read(name: str, **words: str) -> str:
    text = _file(name)
    if not (text.startswith("-- ") and text.rstrip().endswith(";")):
        raise ImportError(f"sql/{name}.sql must be a comment and one whole statement")
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    for part, value in _PARTS.items():
        text = text.replace(part, value)
    text = text.replace("{cancelled}", outcome.CANCELLED)
    return text.rstrip().removesuffix(";")


def _words(state: State) -> dict[str, str]:
    # Literal, or the planner could not use the index of a status.
    return {"status": _STATUS[state], "state": state.value}


def _by_state(name: str, states: frozenset[State]) -> Mapping[State, str]:
    pick = _file("_pick_state").rstrip()
    return {
        state: _read(name, chosen=pick, **_words(state)) for state in _STATUS if state in states
    }


def _by_id(name: str, states: frozenset[State]) -> str:
    return _read(name, chosen=_file("_pick_ids").rstrip(), states=_list(states))


def _list(states: frozenset[State]) -> str:
    return ", ".join(f"'{state}'" for state in State if state in states)


BEAT = _read("beat")
BURY = _read("bury")
BURY_SCHEDULERS = _read("bury_schedulers")
CLAIM = _read("claim")
CLEAR = _read("clear")
COUNTS = _read("counts")
DEFINE = _read("define")
DEFINITION = _read("definition")
DEFINITIONS = _read("definitions")
ENDLESS = _read("endless")
ENQUEUE = _read("enqueue", taken="ON CONFLICT (id, queue) DO NOTHING")
# Without looking first, which is a sixth of the work; fails if one of the ids is taken.
ENQUEUE_NEW = _read("enqueue", taken="")
EXTEND = _read("extend")
FATES = _read("fates")
FINISH_MOVE = _read("finish_move")
FIRED = _read("fired")
FIRST_TICKS = _read("first_ticks")
FOLD_TALLIES = _read("fold_tallies")
FORGET = _read("forget")
FORGET_GIVEN = _read("forget_given")
FREE_PLACE = _read("free_place")
GET = _read("get")
GROUPS = _read("groups")
HERE = _read("here")
HIDE = _read("hide")
HISTORY = _read("history")
HOLDERS = _read("holders")
HOLDING = _read("holding")
HOLDS = _read("holds")
HOLD_DEFINITIONS = _read("hold_definitions")
HOLD_SCOPE = _read("hold_scope")
HOLD_TICKS = _read("hold_ticks")
HORIZON = _read("horizon")
INDEXES = _read("indexes")
KNOWN = _read("known")
LAST_TICKS = _read("last_ticks")
LEAVE = _read("leave")
LOCK = _read("lock")
MARKED = _read("marked")
MARKS = _read("marks")
MEMBERS = _read("members")
MOMENT = _read("moment")
MOVE = _read("move")
NEXT_DUE = _read("next_due")
NOTE_GIVEN = _read("note_given")
NOTIFY = _read("notify")
ORPHANS = _read("orphans")
OUTLAST = _read("outlast")
PAUSE = _read("pause")
PRESENCES = _read("presences")
PROGRESS = _read("progress")
PROMOTE = _read("promote")
PRUNE_COMPLETED = _read("prune_completed")
PRUNE_FIRED = _read("prune_fired")
PRUNE_LOCKS = _read("prune_locks")
PRUNE_OLD = _read("prune_old")
PRUNE_SURPLUS = _read("prune_surplus")
QUEUES = _read("queues")
READY = _read("ready")
REAP = _read("reap")
RECEIVE = _read("receive")
RECORD_TICKS = _read("record_ticks")
REMEMBER = _read("remember")
REPLACE_PAYLOAD = _read("replace_payload")
RESIZE = _read("resize")
RESUME = _read("resume")
RIGHTS = _read("rights")
RUNNING = _read("running")
SAME_BATCH = _read("same_batch")
SCHEDULERS = _read("schedulers")
SERVER = _read("server")
SETTLE_GONE = _read("settle_gone")
SETTLE_KEPT = _read("settle_kept")
SHORTEN = _read("shorten")
SHOW = _read("show")
START_MOVE = _read("start_move")
STATS = _read("stats")
STILL_IN = _read("still_in")
STORED = _read("stored")
TABLES = _read("tables")
TAKEN = _read("taken")
TAKE_PLACE = _read("take_place")
TRANSACTION = _read("transaction")
UNFINISHED = _read("unfinished")
UNKNOWN = _read("unknown")
UNLOCK = _read("unlock")
WORKERS = _read("workers")

FIND = {
    state: _read("find", order="line" if state is State.ACTIVE else "turn", **_words(state))
    for state in _STATUS
}

GIVE = _by_state("give", DELETABLE)
RUN = _by_state("run", RUNNABLE)
RUN_IDS = _by_id("run", RUNNABLE)
ARCHIVE = _by_state("archive", ARCHIVABLE)
ARCHIVE_IDS = _by_id("archive", ARCHIVABLE)
CANCEL = _by_state("cancel", CANCELLABLE - {State.ACTIVE})
CANCEL_NAMED = _read("cancel_named", states=_list(CANCELLABLE))
DELETE = _by_state("delete", DELETABLE)
DELETE_IDS = _by_id("delete", DELETABLE)
