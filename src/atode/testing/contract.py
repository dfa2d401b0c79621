"""The suite that every broker passes: what the protocol means, as tests.

Subclass it in a test module, with a fixture `broker` that yields an open, empty broker made
with the fixture `clock`:

    class TestMyBroker(BrokerContract):
        @pytest.fixture
        async def broker(self, clock: FakeClock) -> AsyncIterator[Broker]: ...

What it does in another way than others stands in `differences`; the tests of such a promise have
to fail. `machine.py` plays at random on a store, and compares.
"""

import pytest

from atode.testing.cancel_contract import CancelContract
from atode.testing.clock import FakeClock
from atode.testing.definition_contract import DefinitionContract
from atode.testing.diagnosis_contract import DiagnosisContract
from atode.testing.difference_contract import DifferenceContract
from atode.testing.group_contract import GroupContract
from atode.testing.operation_contract import OperationContract
from atode.testing.run_contract import RunContract
from atode.testing.schedule_contract import ScheduleContract
from atode.testing.semaphore_contract import SemaphoreContract
from atode.testing.size_contract import SizeContract
from atode.testing.transfer_contract import TransferContract


class BrokerContract(
    RunContract,
    OperationContract,
    GroupContract,
    CancelContract,
    ScheduleContract,
    DefinitionContract,
    SemaphoreContract,
    SizeContract,
    TransferContract,
    DiagnosisContract,
    DifferenceContract,
):
    """Inherit it, provide `broker`, and pytest runs the lot."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()
