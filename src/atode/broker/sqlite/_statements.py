"""The SQL of this broker, each statement in its own file under `sql/`, read once."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import chain

_FOLDER = files("atode.broker.sqlite") / "sql"
_ROW = re.compile(r"\(\?(?:, \?)*\)")
_MOST_ROWS = 64


def _read(name: str) -> str:
    text = (_FOLDER / f"{name}.sql").read_text("utf-8")
    if not (text.startswith("-- ") and sqlite3.complete_statement(text)):
        raise ImportError(f"sql/{name}.sql must be a comment and one whole statement")
    return text


class Bulk:
    """A statement whose one row of values is repeated for as many rows as are at hand.

    Many rows in one execution, because each execution gives Python's lock away, and beside
    a busy thread gets it back only 5 ms later.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        row = _ROW.search(text)
        if row is None:
            raise ImportError(f"No row of values in: {text}")
        head, tail = text[: row.start()], text[row.end() :]
        # Powers of two, so that few texts serve every number of rows and stay prepared.
        sizes = [1 << n for n in range(_MOST_ROWS.bit_length())]
        self._texts = {size: head + ", ".join([row[0]] * size) + tail for size in sizes}

    def parts(self, rows: Sequence[tuple[object, ...]]) -> Iterator[tuple[str, list[object]]]:
        """Statements with their values that together cover `rows`, in order."""
        start = 0
        while left := len(rows) - start:
            size = min(_MOST_ROWS, 1 << (left.bit_length() - 1))
            yield self._texts[size], list(chain.from_iterable(rows[start : start + size]))
            start += size


ACTIVE_IDS = _read("active_ids")
ARCHIVE = _read("archive")
BEAT = _read("beat")
BURY = _read("bury")
BURY_FIRED = _read("bury_fired")
BURY_SCHEDULERS = _read("bury_schedulers")
CANCEL = _read("cancel")
COUNTS = _read("counts")
DEFINE = _read("define")
DEFINITION = _read("definition")
DEFINITIONS = _read("definitions")
DELETE = _read("delete")
ENDLESS = _read("endless")
ENQUEUE = Bulk(_read("enqueue"))
ENTRY = _read("entry")
EXPIRED = _read("expired")
EXTEND = _read("extend")
FINISH_MOVE = _read("finish_move")
FIRE = _read("fire")
FIRED = _read("fired")
FIRST_TICKS = Bulk(_read("first_ticks"))
FORGET_GIVEN = _read("forget_given")
FORGET_IDS = _read("forget_ids")
FORGET_MOVE = _read("forget_move")
FORGET_QUEUE = _read("forget_queue")
FORGET_RECEIVED = _read("forget_received")
FORGET_TALLIES = _read("forget_tallies")
FORGET_TICKS = _read("forget_ticks")
FREE_PLACE = _read("free_place")
GET = _read("get")
GIVE = _read("give")
GIVE_NUMBERS = _read("give_numbers")
GROUPS = _read("groups")
HANG_UP = _read("hang_up")
HAS_READY = _read("has_ready")
HIDE = _read("hide")
HISTORY = _read("history")
HOLD = _read("hold")
HOLDS = _read("holds")
JOBS_OF = _read("jobs_of")
KNOWN = _read("known")
LAST_TICK = _read("last_tick")
LEAVE = _read("leave")
LISTEN = _read("listen")
LISTENERS = _read("listeners")
LOCK = Bulk(_read("lock"))
LOST = _read("lost")
MARK = _read("mark")
MARKED = _read("marked")
MARKS = _read("marks")
MEET = Bulk(_read("meet"))
MOVE = _read("move")
NEXT_DUE = _read("next_due")
NEXT_NUMBER = _read("next_number")
NOTE_GIVEN = _read("note_given")
OBSTACLES = _read("obstacles")
ORPHANS = _read("orphans")
OWN_PAUSE = _read("own_pause")
PAUSE = _read("pause")
PAYLOAD = _read("payload")
PICK_ACTIVE = _read("pick_active")
PICK_AGGREGATING = _read("pick_aggregating")
PICK_ANY = _read("pick_any")
PICK_ARCHIVED = _read("pick_archived")
PICK_COMPLETED = _read("pick_completed")
PICK_IDS = _read("pick_ids")
PICK_MEMBERS = _read("pick_members")
PICK_PENDING = _read("pick_pending")
PICK_RETRY = _read("pick_retry")
PICK_SCHEDULED = _read("pick_scheduled")
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
RECEIVE = Bulk(_read("receive"))
REMEMBER = Bulk(_read("remember"))
RENEW_REVISION = _read("renew_revision")
REPLACE_PAYLOAD = _read("replace_payload")
RESIZE = _read("resize")
RESUME = _read("resume")
REVISION = _read("revision")
RUN = _read("run")
RUNG = _read("rung")
SCHEDULERS = _read("schedulers")
SETTLE = Bulk(_read("settle"))
SHORTEN = _read("shorten")
SHOW = _read("show")
START_MOVE = _read("start_move")
STATS = _read("stats")
STILL_IN = _read("still_in")
STORED_AS = _read("stored_as")
TAKE_LOCK = _read("take_lock")
TAKE_PLACE = _read("take_place")
TALLY = _read("tally")
TICK = _read("tick")
UNDEFINE = _read("undefine")
UNENDED = _read("unended")
UNKNOWN = _read("unknown")
UNLOCK = Bulk(_read("unlock"))
UNLOCK_JOBS = _read("unlock_jobs")
UNLOCK_QUEUE = _read("unlock_queue")
VACATE = _read("vacate")
WISH = _read("wish")
WORKERS = _read("workers")
