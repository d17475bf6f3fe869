"""The soak's checks find what they are there to find: each gets a history with one fault in it."""

from soak_check import check_commits, check_records, check_same, check_topics
from soak_history import Commit, History, Read, Sent, TopicHistory, TopicState

ORDERS = ("orders", 0)


def history_of(
    *numbers: int, acked: int | None = None, is_idempotent: bool = True, in_flight_max: int = 5
) -> History:
    """A producer whose first `acked` records are acknowledged at the offsets of their numbers, and
    a log with these records."""
    history = History()
    producer = history.new_producer(is_idempotent, in_flight_max, "none")
    for number in range(max(numbers, default=-1) + 1 if acked is None else acked):
        producer.sent.append(
            Sent(sent_at=10 + number, acked_at=10.5 + number, place=ORDERS, offset=number)
        )
    history.logs[ORDERS] = [Read(0, number) for number in numbers]
    return history


def test_nothing_is_wrong_with_a_log_that_has_what_was_acknowledged() -> None:
    assert check_records(history_of(0, 1, 2)) == []


def test_a_record_that_was_acknowledged_and_is_not_in_the_log_is_lost() -> None:
    found = check_records(history_of(0, 1, acked=3))

    assert any("0:2" in line and "lost" in line for line in found)


def test_a_record_without_acknowledgement_may_be_there_or_not() -> None:
    history = history_of(0, 1)
    history.producers[0].sent += [Sent(sent_at=12.0), Sent(sent_at=13.0)]
    history.logs[ORDERS].append(Read(0, 2))

    assert check_records(history) == []


def test_a_record_at_another_offset_than_acknowledged_is_found() -> None:
    history = history_of(0, 1, 2)
    history.producers[0].sent[1].offset = 2

    assert check_records(history) == [
        "record 0:1 (idempotent, none): acknowledged at orders-0 offset 2, where 0:2 is"
    ]


def test_an_offset_that_the_client_was_not_told_is_not_compared() -> None:
    history = history_of(0, 1, 2)
    history.producers[0].sent[1].offset = -1

    assert check_records(history) == []


def test_an_idempotent_producers_record_is_in_the_log_once_whatever_happened() -> None:
    history = history_of(0, 1, 1)
    history.interruptions.append((11.1, 11.4))

    assert any("2 times in the log" in line for line in check_records(history))


def test_a_plain_producers_record_may_be_there_twice_if_the_broker_was_killed_meanwhile() -> None:
    history = history_of(0, 1, 1, is_idempotent=False)
    history.interruptions.append((11.1, 11.4))

    assert check_records(history) == []


def test_a_plain_producers_record_may_not_be_there_twice_without_a_kill() -> None:
    history = history_of(0, 1, 1, is_idempotent=False)
    history.interruptions.append((10.1, 10.4))

    assert any("2 times in the log" in line for line in check_records(history))


def test_an_idempotent_producers_records_are_in_their_order() -> None:
    history = history_of(0, 2, 1)

    found = check_records(history)

    assert any("0:1" in line and "behind number 2" in line for line in found)


def test_one_request_in_flight_keeps_the_order_without_idempotence() -> None:
    found = check_records(history_of(0, 2, 1, is_idempotent=False, in_flight_max=1))

    assert any("behind number 2" in line for line in found)


def test_several_requests_in_flight_need_not_keep_the_order_without_idempotence() -> None:
    found = check_records(history_of(0, 2, 1, is_idempotent=False))

    assert not any("behind" in line for line in found)


def test_a_repeated_batch_is_not_out_of_order() -> None:
    history = history_of(0, 1, 0, 1, 2, is_idempotent=False, in_flight_max=1)
    history.interruptions.append((0.0, 100.0))
    history.producers[0].sent[2].offset = 4

    assert check_records(history) == []


def test_a_record_that_nobody_sent_is_found() -> None:
    history = history_of(0)
    history.logs[ORDERS].append(Read(7, 0))

    assert check_records(history) == ["record 7:0 is in a log, and nobody sent it"]


def test_a_record_that_the_client_gave_up_is_found() -> None:
    history = history_of(0)
    history.producers[0].sent.append(Sent(sent_at=12.0, error="timed out"))

    assert any("gave it up: timed out" in line for line in check_records(history))


def test_a_thousand_lost_records_are_told_in_a_few_lines() -> None:
    found = check_records(history_of(0, acked=1000))

    assert any("979 more" in line for line in found)
    assert len(found) < 50


def test_a_log_that_is_read_again_has_what_it_had() -> None:
    before = [Read(0, 0), Read(0, 1)]

    assert check_same(ORDERS, before, [*before, Read(0, 2)]) == []
    assert check_same(ORDERS, before, before[:1]) == ["orders-0 had 2 records, and has 1"]
    assert "offset 1 was" in check_same(ORDERS, before, [Read(0, 0), Read(0, 2)])[0]


def commits_of(*commits: tuple[int, bool]) -> History:
    """A group that asked for these offsets, acknowledged or not."""
    history = History()
    history.commits["group"] = [Commit(ORDERS, offset, is_acked) for offset, is_acked in commits]
    return history


def test_the_last_acknowledged_commit_or_a_later_one_is_there() -> None:
    history = commits_of((1, True), (2, True), (3, False))

    assert check_commits(history, {"group": {ORDERS: 2}}) == []
    assert check_commits(history, {"group": {ORDERS: 3}}) == []


def test_an_older_commit_than_the_last_acknowledged_one_is_a_loss() -> None:
    history = commits_of((1, True), (2, True), (3, False))

    assert check_commits(history, {"group": {ORDERS: 1}}) == [
        "group group, orders-0: committed 1, expected one of [2, 3]"
    ]
    assert check_commits(history, {}) != []


def test_a_commit_that_was_never_acknowledged_need_not_be_there() -> None:
    assert check_commits(commits_of((1, False)), {}) == []


def topics_of(state: TopicState) -> History:
    """A topic of three partitions."""
    history = History()
    history.topics["made"] = TopicHistory(3, 1000, state)
    return history


def test_a_created_topic_is_there_as_it_was_made() -> None:
    history = topics_of(TopicState.CREATED)

    assert check_topics(history, {"made": 3}, {"made": 1000}) == []
    assert "has 2" in check_topics(history, {"made": 2}, {"made": 1000})[0]
    assert "has 5" in check_topics(history, {"made": 3}, {"made": 5})[0]
    assert "gone" in check_topics(history, {}, {})[0]


def test_a_deleted_topic_stays_deleted() -> None:
    assert check_topics(topics_of(TopicState.DELETED), {}, {}) == []
    found = check_topics(topics_of(TopicState.DELETED), {"made": 3}, {"made": 1000})
    assert "deletion was acknowledged" in found[0]


def test_what_nobody_knew_of_a_topic_is_known_once_it_was_seen() -> None:
    history = topics_of(TopicState.UNKNOWN)

    assert check_topics(history, {"made": 3}, {"made": 1000}) == []
    assert history.topics["made"].state is TopicState.CREATED
    assert "gone" in check_topics(history, {}, {})[0]
