"""New names: never the same twice, or the same in every run."""

from kproof_impl.shell.identifiers import CountedIdentifiers, RandomIdentifiers


def test_random_names_differ_from_each_other_and_from_those_of_another_broker() -> None:
    one, other = RandomIdentifiers(), RandomIdentifiers()

    topics = [each.topic_id() for each in (one, other) for _ in range(100)]
    members = [each.member_id_suffix() for each in (one, other) for _ in range(100)]

    assert len(set(topics)) == 200
    assert len(set(members)) == 200


def test_a_random_topic_id_is_never_one_of_kafkas_own_nor_begins_with_a_dash_as_text() -> None:
    identifiers = RandomIdentifiers()

    for _ in range(2_000):
        topic_id = identifiers.topic_id()
        assert topic_id.int > 1
        assert topic_id.bytes[0] >> 2 != 62


def test_a_session_id_has_31_bits_and_is_not_0() -> None:
    identifiers = RandomIdentifiers()

    assert all(0 < identifiers.session_id() < 1 << 31 for _ in range(1_000))


def test_counted_names_are_the_same_in_every_run_and_differ_among_themselves() -> None:
    def run() -> list[object]:
        names = CountedIdentifiers()
        return [
            *(names.topic_id() for _ in range(3)),
            *(names.member_id_suffix() for _ in range(3)),
            *(names.session_id() for _ in range(3)),
        ]

    assert run() == run()
    assert len(set(run())) == 9
    assert run()[-3:] == [1, 2, 3]
