"""InitProducerId: ids that are given once, for ever."""

import pytest

from impl_support.list_log import ListStore
from impl_support.stepping import Stepper
from kproof_impl.core.producer_ids import BLOCK
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.init_producer_id import InitProducerIdRequest, InitProducerIdResponse


def asked(broker: Stepper, version: int = 5, **fields: int | str) -> InitProducerIdResponse:
    request = InitProducerIdRequest(**fields)  # type: ignore[arg-type] # As the test has them.
    response: InitProducerIdResponse = broker.send(request, version)
    return response


@pytest.mark.parametrize("version", range(6))
def test_each_producer_gets_another_id_with_epoch_0(version: int) -> None:
    broker = Stepper()

    answers = [asked(broker, version) for _ in range(3)]

    assert [(one.error_code, one.producer_epoch) for one in answers] == [(0, 0)] * 3
    assert len({one.producer_id for one in answers}) == 3


@pytest.mark.parametrize("endings", [("restart",), ("crash",), ("crash", "restart", "crash")])
def test_no_id_is_given_twice_over_many_lives(endings: tuple[str, ...]) -> None:
    broker = Stepper()
    ids = [asked(broker).producer_id for _ in range(BLOCK + 2)]
    for ending in endings:
        getattr(broker, ending)()
        ids += [asked(broker).producer_id for _ in range(BLOCK + 1)]

    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert min(ids) >= 0


def test_ids_are_reserved_in_blocks_and_not_one_by_one() -> None:
    broker = Stepper()
    reserved: list[int] = []
    reserve = broker.broker.topics.reserve_producer_ids

    def counted(count: int) -> int:
        reserved.append(count)
        return reserve(count)

    broker.broker.topics.reserve_producer_ids = counted  # type: ignore[method-assign] # To count.

    for _ in range(BLOCK * 2 + 1):
        asked(broker)

    assert reserved == [BLOCK] * 3


def test_kip360_an_idempotent_producer_that_tells_its_old_id_gets_a_new_one() -> None:
    """It bumps its epoch by itself; only a transactional one is given the next epoch."""
    broker = Stepper()
    old = asked(broker)

    new = asked(broker, producer_id=old.producer_id, producer_epoch=old.producer_epoch)

    assert (new.error_code, new.producer_epoch) == (0, 0)
    assert new.producer_id != old.producer_id


@pytest.mark.parametrize(("producer_id", "producer_epoch"), [(5, -1), (-1, 5)])
def test_half_an_identity_is_an_invalid_request(producer_id: int, producer_epoch: int) -> None:
    answer = asked(Stepper(), producer_id=producer_id, producer_epoch=producer_epoch)

    assert (answer.error_code, answer.producer_id, answer.producer_epoch) == (
        ErrorCode.INVALID_REQUEST,
        -1,
        -1,
    )


@pytest.mark.parametrize(
    ("transactional_id", "code"),
    [("t", ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED), ("", ErrorCode.INVALID_REQUEST)],
)
def test_a_transactional_id_is_refused(transactional_id: str, code: ErrorCode) -> None:
    answer = asked(Stepper(), transactional_id=transactional_id, transaction_timeout_ms=60_000)

    assert (answer.error_code, answer.producer_id, answer.producer_epoch) == (code, -1, -1)


def test_without_a_disk_to_reserve_ids_on_a_producer_tries_again() -> None:
    store = ListStore()
    broker = Stepper(store=store)
    asked(broker)
    for log in store.logs.values():
        log.fails = True

    left = [asked(broker) for _ in range(BLOCK - 1)]
    refused = asked(broker)

    assert {one.error_code for one in left} == {0}
    assert (refused.error_code, refused.producer_id) == (
        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
        -1,
    )
