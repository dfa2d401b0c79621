"""Errors that no later attempt cures: those of the rules, and those that services report."""

from webapp.service.failure import PermanentFailure

__all__ = ["BadArgument", "MailInDoubt", "PermanentFailure", "UnknownUser"]


class BadArgument(PermanentFailure):
    """A job was given a value that it cannot work with."""

    def __init__(self, name: str, value: object, limit: str) -> None:
        super().__init__(f"{name} is {value!r}; it must be {limit}")
        self.name = name


class UnknownUser(PermanentFailure):
    """There is no user of this id."""

    def __init__(self, user_id: int) -> None:
        super().__init__(f"There is no user {user_id}")


class MailInDoubt(PermanentFailure):
    """A mail may have been sent before, and must not be sent twice."""
