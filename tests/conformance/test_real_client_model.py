"""The judge of the machine of real clients finds what must not be."""

import pytest

from impl_support.real_client_model import Group, Place, Records

PLACE = ("orders", 0)


def sent_and_acknowledged(records: Records, producer: str, *offsets: int) -> None:
    for offset in offsets:
        sent = records.send(producer, "orders", b"anna")
        records.acknowledge(sent, PLACE, offset, 1_000)


def a_group(log_start: int = 0) -> Group:
    """One whose topic has five records, and is given them by the tests."""
    records = Records()
    sent_and_acknowledged(records, "all", 0, 1, 2, 3, 4)
    return Group("workers", records, lambda place: log_start)


def give(group: Group, member: int, *offsets: int) -> None:
    for offset in offsets:
        group.give(member, PLACE, offset, group.records.at[PLACE][offset])


def test_a_record_that_is_skipped_is_found_unless_it_was_deleted() -> None:
    skipping, deleted = a_group(), a_group(log_start=3)
    for group in (skipping, deleted):
        group.assign(1, [PLACE])
        give(group, 1, 0, 1)

    give(deleted, 1, 3)
    with pytest.raises(AssertionError, match=r"got \('orders', 0\) 3, not \{2\}"):
        give(skipping, 1, 3)


def test_a_record_that_is_given_twice_is_found() -> None:
    group = a_group()
    group.assign(1, [PLACE])
    give(group, 1, 0, 1)

    with pytest.raises(AssertionError, match="again"):
        give(group, 1, 1)


def test_a_member_goes_on_where_the_group_has_committed_and_nowhere_else() -> None:
    group = a_group()
    group.assign(1, [PLACE])
    give(group, 1, 0, 1, 2)
    group.commit(1, {PLACE: 2})
    group.answer_commit(1, {PLACE: 2}, "")
    group.end(1)
    group.assign(2, [PLACE])

    with pytest.raises(AssertionError, match=r"not \{2\}"):
        give(group, 2, 3)
    with pytest.raises(AssertionError, match="again"):
        give(group, 2, 1)
    give(group, 2, 2)


def test_a_partition_that_is_not_its_own_gives_a_member_nothing() -> None:
    group = a_group()

    with pytest.raises(AssertionError, match="not its own"):
        give(group, 1, 0)


def test_a_commit_of_a_zombie_has_to_be_refused() -> None:
    group = a_group()
    group.assign(1, [PLACE])
    give(group, 1, 0)
    group.assign(2, [PLACE])
    group.commit(1, {PLACE: 1})
    group.commit(2, {PLACE: 1})

    group.answer_commit(2, {PLACE: 1}, "")
    with pytest.raises(AssertionError, match="zombie"):
        group.answer_commit(1, {PLACE: 1}, "")


@pytest.mark.parametrize("found", [-1, 1, 3])
def test_an_acknowledged_commit_that_is_lost_or_another_is_found(found: int) -> None:
    group = a_group()
    group.commit(1, {PLACE: 2})
    group.answer_commit(1, {PLACE: 2}, "")

    with pytest.raises(AssertionError, match="is committed of"):
        group.check_committed({PLACE: found})


@pytest.mark.parametrize("found", [2, 4])
def test_a_commit_that_nobody_answered_may_be_there_or_not(found: int) -> None:
    group = a_group()
    for offset, error in ((2, ""), (4, "_TRANSPORT"), (5, "ILLEGAL_GENERATION")):
        group.commit(1, {PLACE: offset})
        group.answer_commit(1, {PLACE: offset}, error)

    group.check_committed({PLACE: found})
    with pytest.raises(AssertionError, match="is committed of"):
        group.check_committed({PLACE: 5})


@pytest.mark.parametrize("producer", ["idempotent", "all"])
def test_a_record_that_is_twice_there_needs_an_excuse(producer: str) -> None:
    records = Records()
    sent_and_acknowledged(records, producer, 0)
    records.note(PLACE, 1, records.at[PLACE][0])

    with pytest.raises(AssertionError, match="is twice"):
        records.check_orders()
    records.interruptions += 1
    if producer == "all":
        records.check_orders()
    else:
        with pytest.raises(AssertionError, match="is twice"):
            records.check_orders()


def test_a_record_in_the_place_of_another_is_found() -> None:
    records = Records()
    sent_and_acknowledged(records, "all", 0, 1)

    with pytest.raises(AssertionError, match=r"where .* was"):
        records.note(PLACE, 0, records.at[PLACE][1])
    with pytest.raises(AssertionError, match="nobody sent it"):
        records.note(PLACE, 2, (None, b"of nobody"))


def test_a_key_in_two_partitions_is_found() -> None:
    records = Records()
    for partition in (0, 1):
        sent = records.send("all", "orders", b"anna")
        records.acknowledge(sent, ("orders", partition), 0, 1_000)

    with pytest.raises(AssertionError, match="key b'anna' is in"):
        records.check_orders()


@pytest.mark.parametrize("others", ["all", "one"])
def test_a_wrong_order_of_one_producer_or_of_two_that_waited_is_found(others: str) -> None:
    records = Records()
    for producer, offset in (("all", 1), (others, 0)):
        sent_and_acknowledged(records, producer, offset)

    with pytest.raises(AssertionError, match=r"comes behind|was sent after"):
        records.check_orders()


def test_what_was_sent_at_the_same_time_may_come_in_any_order() -> None:
    records = Records()
    place: Place = ("orders", 0)
    first, second = (records.send(producer, "orders", None) for producer in ("all", "one"))
    records.acknowledge(first, place, 1, 1_000)
    records.acknowledge(second, place, 0, 1_000)

    records.check_orders()


def test_who_is_told_its_assignment_after_it_was_expelled_is_the_zombie() -> None:
    late, deposing = a_group(), a_group()
    for group in (late, deposing):
        group.assign(1, [PLACE])
        give(group, 1, 0)

    late.assign(2, [PLACE], is_late=True)
    deposing.assign(2, [PLACE])

    for group in (late, deposing):
        group.commit(1, {PLACE: 1})
    late.answer_commit(1, {PLACE: 1}, "")
    with pytest.raises(AssertionError, match="of a zombie was acknowledged"):
        deposing.answer_commit(1, {PLACE: 1}, "")
    late.commit(2, {PLACE: 1})
    with pytest.raises(AssertionError, match="of a zombie was acknowledged"):
        late.answer_commit(2, {PLACE: 1}, "")
