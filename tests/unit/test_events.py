"""Who hears of what happens."""

import pytest

from atode.events import BrokerBack, BrokerLost, Events, SubscriberFailed, WorkerStopped

STOPPED = WorkerStopped("w1", 0)


def test_every_subscriber_of_a_type_hears_its_events_in_the_order_of_subscription() -> None:
    events = Events()
    heard: list[str] = []
    events.subscribe(WorkerStopped, lambda event: heard.append(f"first {event.released}"))
    events.subscribe(WorkerStopped, lambda event: heard.append(f"second {event.released}"))
    events.subscribe(BrokerBack, lambda event: heard.append("never"))

    events.publish(STOPPED)

    assert heard == ["first 0", "second 0"]


def test_an_event_is_wanted_once_somebody_has_subscribed() -> None:
    events = Events()
    events.subscribe(WorkerStopped, lambda event: None)

    assert events.wanted(WorkerStopped)
    assert not events.wanted(BrokerBack)


def test_events_that_nobody_wants_go_nowhere() -> None:
    Events().publish(STOPPED)


def test_events_are_frozen() -> None:
    event = BrokerLost("fetcher", "down", 0.1)

    with pytest.raises(AttributeError):
        event.pause = 9  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def test_a_subscriber_that_raises_disturbs_neither_the_others_nor_the_publisher() -> None:
    events = Events()
    heard: list[object] = []
    error = ZeroDivisionError("metrics are broken")

    def broken(event: WorkerStopped) -> None:
        raise error

    events.subscribe(WorkerStopped, broken)
    events.subscribe(WorkerStopped, heard.append)
    events.subscribe(SubscriberFailed, heard.append)

    events.publish(STOPPED)

    assert heard == [SubscriberFailed(STOPPED, error), STOPPED]


def test_a_subscriber_that_fails_to_hear_of_failures_ends_the_matter() -> None:
    events = Events()

    def broken(event: object) -> None:
        raise ZeroDivisionError

    events.subscribe(WorkerStopped, broken)
    events.subscribe(SubscriberFailed, broken)

    events.publish(STOPPED)


def test_who_subscribes_to_batches_hears_at_once_what_happened_at_once() -> None:
    events = Events()
    heard: list[object] = []
    events.subscribe_batches(WorkerStopped, lambda batch: heard.append(len(batch)))
    events.subscribe(WorkerStopped, heard.append)

    events.publish_all([STOPPED, STOPPED])
    events.publish(STOPPED)
    events.publish_all(())

    assert events.wanted(WorkerStopped)
    assert heard == [2, STOPPED, STOPPED, 1, STOPPED]


def test_a_batch_that_a_subscriber_cannot_bear_is_reported_once() -> None:
    events = Events()
    heard: list[object] = []
    error = ZeroDivisionError("metrics are broken")

    def broken(batch: object) -> None:
        raise error

    events.subscribe_batches(WorkerStopped, broken)
    events.subscribe(SubscriberFailed, heard.append)

    events.publish_all([STOPPED, STOPPED])

    assert heard == [SubscriberFailed(STOPPED, error)]


def test_an_event_that_one_subscriber_cannot_bear_keeps_none_of_the_others_from_it() -> None:
    events = Events()
    heard: list[int] = []

    def picky(event: WorkerStopped) -> None:
        if event.released == 1:
            raise ZeroDivisionError
        heard.append(event.released)

    events.subscribe(WorkerStopped, picky)

    events.publish_all([WorkerStopped("w1", number) for number in range(3)])

    assert heard == [0, 2]
