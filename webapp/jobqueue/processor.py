"""One attempt of each job: payload in, errors out.

Use cases raise errors of their own; here they become what the queue understands. Only an
error that no later attempt can cure is permanent; every other one is retried.
"""

from atode import Permanent
from webapp.usecase.delay_print import DelayPrint
from webapp.usecase.message import MessageTooLong


class DelayPrintProcessor:
    """Attempts of `demo:delay_print`."""

    def __init__(self, use_case: DelayPrint) -> None:
        self._use_case = use_case

    def process(self, message: str) -> None:
        """Print the message now.

        Raises:
            Permanent: this message cannot be printed.
        """
        try:
            self._use_case.print_now(message)
        except MessageTooLong as error:
            raise Permanent(str(error)) from error
