"""What a message may be."""

import unicodedata

LONGEST_MESSAGE = 10_000
DEFAULT_MESSAGE = "Job executed successfully"


class MessageTooLong(ValueError):
    """A message has more characters than the limit."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The message has {size:,} characters; it must have at most {LONGEST_MESSAGE:,}"
        )


def check_message(message: str) -> None:
    """Return if the message may be printed.

    Raises:
        MessageTooLong: it is longer than 10,000 characters.
    """
    if len(message) > LONGEST_MESSAGE:
        raise MessageTooLong(len(message))


def on_one_line(message: str) -> str:
    """The message with line breaks and control characters written as escapes.

    A message comes from a stranger and is printed where people and programs read one line
    per job: it must neither add lines of its own nor give the terminal orders.
    """
    return "".join(_visible(letter) for letter in message)


def _visible(letter: str) -> str:
    if letter != "\t" and unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs"):
        return letter.encode("unicode_escape").decode("ascii")
    return letter
