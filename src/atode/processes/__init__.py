"""Running jobs in several processes of one program."""

from atode.processes.processes import Processes
from atode.processes.work import work

__all__ = ["Processes", "work"]
