"""What a scheduler shows as asynq's SchedulerEntry and back (the protocol's section 12)."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence

from atode.broker.redis._scripts import SHOW, Command
from atode.broker.redis.keys import SCHEDULERS, scheduler_key
from atode.broker.redis.wire import DecodeError, SchedulerEntry, instant_of, set_instant
from atode.go_duration import from_go, in_go
from atode.schedule import Entry, EntryOptions

_OPTION = re.compile(r"(\w+)\((.*)\)", re.DOTALL)

# Go's escapes that JSON has not, or writes in another way.
_ESCAPE = re.compile(
    r'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\"]))'
)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def show_commands(
    scheduler: str, entries: Sequence[Entry], now: float, lifetime: float
) -> Sequence[Command]:
    """Show what a scheduler runs until `lifetime` seconds from now."""
    key = scheduler_key(scheduler)
    seconds = math.ceil(lifetime)
    return (
        ("ZADD", SCHEDULERS, math.floor(now) + seconds, key),
        SHOW.call((key,), seconds, *map(encoded_entry, entries)),
    )


def hide_commands(scheduler: str) -> Sequence[Command]:
    """Show nothing more of a scheduler."""
    key = scheduler_key(scheduler)
    return (("ZREM", SCHEDULERS, key), ("DEL", key))


def encoded_entry(entry: Entry) -> bytes:
    """The entry as asynq's message."""
    message = SchedulerEntry(
        id=_utf8(entry.id),
        spec=_utf8(entry.spec),
        task_type=_utf8(entry.task),
        task_payload=entry.payload,
        enqueue_options=[_utf8(option) for option in option_texts(entry.options)],
    )
    set_instant(message.next_enqueue_time, entry.next)
    set_instant(message.prev_enqueue_time, entry.prev)
    return message.SerializeToString()


def read_entries(records: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of a scheduler; what cannot be read is left out."""
    for record in records:
        try:
            message = SchedulerEntry.FromString(record)
        except DecodeError:
            continue
        yield Entry(
            message.id,
            message.spec,
            message.task_type,
            message.task_payload,
            read_options(message.enqueue_options),
            instant_of(message.next_enqueue_time),
            instant_of(message.prev_enqueue_time),
        )


def option_texts(options: EntryOptions) -> list[str]:
    """The options as asynq writes them (12.3).

    Never one without a parenthesis: the readers of Go programs would crash (trap 17).
    """
    texts = [f"Queue({_quoted(options.queue)})"]
    if options.max_retry is not None:
        texts.append(f"MaxRetry({options.max_retry})")
    for name, seconds in (
        ("Timeout", options.timeout),
        ("Unique", options.unique_for),
        ("Retention", options.retention),
    ):
        if seconds is not None:
            texts.append(f"{name}({in_go(seconds)})")
    return texts + [text for text in options.others if _OPTION.fullmatch(text)]


def read_options(texts: Iterable[str]) -> EntryOptions:
    """The options in asynq's texts; what is not understood is kept as it is."""
    options = EntryOptions()
    others: list[str] = []
    for text in texts:
        found = _OPTION.fullmatch(text)
        try:
            understood = _with(options, found[1], found[2]) if found else None
        except ValueError:
            understood = None
        if understood is None:
            others.append(text)
        else:
            options = understood
    return options._replace(others=tuple(others))


def _with(options: EntryOptions, name: str, value: str) -> EntryOptions | None:
    match name:
        case "Queue":
            return options._replace(queue=_unquoted(value))
        case "MaxRetry":
            return options._replace(max_retry=int(value))
        case "Timeout":
            return options._replace(timeout=from_go(value))
        case "Unique":
            return options._replace(unique_for=from_go(value))
        case "Retention":
            return options._replace(retention=from_go(value))
        case _:
            return None


def _quoted(text: str) -> str:
    # Go's readers stop at the first closing parenthesis, so there must be none inside.
    quoted = json.dumps(_utf8(text), ensure_ascii=False).replace(")", r"\x29")
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)


def _unquoted(text: str) -> str:
    if len(text) < 2 or text[0] + text[-1] not in ('""', "``"):
        raise ValueError(f"{text!r} is not quoted")
    if text[0] == "`":
        return text[1:-1]
    return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(escape: re.Match[str]) -> str:
    two, four, eight, octal, letter = escape.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    number = int(octal, 8) if octal else int(two or four or eight, 16)
    return chr(min(number, 0x10FFFF))


def _utf8(text: str) -> str:
    # Go refuses a message with lone surrogates in it.
    return text.encode("utf-8", "replace").decode()
