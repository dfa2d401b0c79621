import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples in every run, and no verdict about the speed of a busy machine.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def zone_of_the_machine() -> Iterator[None]:
    """A test that moves to another time zone (TZ, tzset) takes nobody along."""
    yield
    # Fixtures end in reverse order: by now the variable is what it was.
    time.tzset()
