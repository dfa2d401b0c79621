"""What goes wrong outside, in the two kinds that a job has to tell apart.

Each service turns the errors of its library into these at one place. The text is for an
operator: it names the thing, what it said, and the way out where there is one.
"""


class TransientFailure(Exception):
    """It did not work now; the same call may succeed later."""


class PermanentFailure(Exception):
    """It will not work, however often it is tried."""
