"""What is wrong with the settings, in words for whoever starts a server."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class SettingsError(Exception):
    """One or more settings cannot be used; each line of the text is one of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean …?` with the closest known word, or nothing where none is close."""
    # 0.5 still finds "production" for "prod".
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""
