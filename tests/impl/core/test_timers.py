"""Timers: when, in which order, and not at all."""

from hypothesis import given
from hypothesis import strategies as st

from kproof_impl.core.timers import Timer, Timers


def test_nothing_is_due_where_nothing_was_set() -> None:
    timers = Timers()

    timers.run_due(1_000)

    assert timers.next_due_ms() is None


def test_a_timer_happens_once_at_its_time_and_not_before() -> None:
    timers = Timers()
    happened: list[int] = []
    timers.at(10, happened.append)

    timers.run_due(9)
    before = list(happened)
    timers.run_due(12)
    timers.run_due(13)

    assert (before, happened) == ([], [12])
    assert timers.next_due_ms() is None


def test_timers_of_one_moment_happen_in_the_order_they_were_set() -> None:
    timers = Timers()
    happened: list[str] = []
    for name in "cab":
        timers.at(10, lambda _, name=name: happened.append(name))  # type: ignore[misc]
    timers.at(9, lambda _: happened.append("first"))

    timers.run_due(10)

    assert happened == ["first", "c", "a", "b"]


def test_a_cancelled_timer_does_not_happen_and_is_not_waited_for() -> None:
    timers = Timers()
    happened: list[int] = []
    cancelled = timers.at(10, happened.append)
    timers.at(20, happened.append)

    cancelled.cancel()
    cancelled.cancel()

    assert timers.next_due_ms() == 20
    timers.run_due(20)
    assert happened == [20]


def test_a_timer_that_has_happened_may_be_cancelled() -> None:
    timers = Timers()
    happened: list[int] = []
    timer = timers.at(10, happened.append)
    timers.run_due(10)

    timer.cancel()

    assert happened == [10]


def test_what_is_set_meanwhile_to_a_time_that_has_come_happens_too() -> None:
    timers = Timers()
    happened: list[int] = []

    def again(now_ms: int) -> None:
        happened.append(now_ms)
        if len(happened) < 3:
            timers.at(now_ms, again)

    timers.at(10, again)
    timers.run_due(11)

    assert happened == [11, 11, 11]


def test_one_timer_may_cancel_another_of_its_moment() -> None:
    timers = Timers()
    happened: list[int] = []
    others: list[Timer] = []
    timers.at(10, lambda _: others[0].cancel())
    others.append(timers.at(10, happened.append))

    timers.run_due(10)

    assert happened == []


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    kept = [timers.at(10**9, lambda _: None) for _ in range(10)]

    for number in range(10_000):
        timers.at(10**6 + number, lambda _: None).cancel()

    assert len(timers._heap) <= 200
    assert timers.next_due_ms() == kept[0].due_ms


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("at"), st.integers(0, 30)),
            st.tuples(st.just("cancel"), st.integers(0, 99)),
            st.tuples(st.just("run"), st.integers(0, 5)),
        )
    )
)
def test_timers_do_what_a_sorted_list_does(steps: list[tuple[str, int]]) -> None:
    timers, now_ms = Timers(), 0
    model: dict[int, int] = {}
    handles: list[Timer] = []
    happened: list[int] = []
    for step, number in steps:
        if step == "at":
            name = len(handles)
            handles.append(
                timers.at(number, lambda _, name=name: happened.append(name))  # type: ignore[misc]
            )
            model[name] = number
        elif step == "cancel" and handles:
            name = number % len(handles)
            handles[name].cancel()
            model.pop(name, None)
        elif step == "run":
            now_ms += number
            due = sorted((at, name) for name, at in model.items() if at <= now_ms)
            expected = [name for _, name in due]
            happened.clear()
            timers.run_due(now_ms)
            assert happened == expected
            for name in expected:
                del model[name]
        assert timers.next_due_ms() == min(model.values(), default=None)
