"""Showing something once, or again and again."""

import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from atode.cli._deployment import Deployment, complain
from atode.cli._layout import emit, is_terminal
from atode.errors import BrokerUnavailable

_CLEAR = "\x1b[H\x1b[2J"


def show(draw: Callable[[], str], every: float | None, store: Deployment) -> None:
    """Write what `draw` returns; with `every`, again after that many seconds, until Ctrl-C.

    A store that is away for a while is said so, and asked again; but the first look must succeed.
    """
    text = draw()
    if every is None:
        emit(text)
        return
    with suppress(KeyboardInterrupt):
        for _ in count():
            emit(f"{_CLEAR}{text}" if is_terminal() else text)
            time.sleep(every)
            text = _drawn(draw, store) or text


def _drawn(draw: Callable[[], str], store: Deployment) -> str:
    try:
        return draw()
    except BrokerUnavailable as error:
        complain(error, store.url)
        return ""
