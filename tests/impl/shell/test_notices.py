"""What a broker tells about its clients: little, and printable."""

from kproof_impl.shell.notices import PER_SECOND_MAX, TEXT_MAX, Notice, Notices, printable


def test_a_flood_of_one_kind_is_cut_and_counted_and_other_kinds_are_told() -> None:
    told: list[Notice] = []
    now = [0.0]
    notices = Notices(told.append, lambda: now[0])

    for number in range(1_000):
        notices("refused", f"number {number}", "127.0.0.1:1")
    notices("fault", "ours")
    assert len(told) == PER_SECOND_MAX + 1
    assert told[-1].text == "ours"

    now[0] = 1.0
    notices("refused", "a second later", "127.0.0.1:1")
    assert [each.text for each in told[-2:]] == [
        f"and {1_000 - PER_SECOND_MAX} more of this kind that are not shown",
        "a second later",
    ]


def test_what_was_not_shown_is_counted_at_the_end() -> None:
    told: list[Notice] = []
    notices = Notices(told.append, lambda: 0.0)
    for _ in range(PER_SECOND_MAX + 3):
        notices("refused", "no")

    notices.close()

    assert told[-1].text == "and 3 more of this kind that are not shown"


def test_faults_are_counted_though_not_all_are_shown() -> None:
    notices = Notices(lambda notice: None, lambda: 0.0)

    for _ in range(50):
        notices("fault", "again")

    assert notices.faults_count == 50


def test_a_text_of_a_client_becomes_one_line_of_limited_length() -> None:
    assert printable("a\nb\x1b[31mc\u202e") == "a\\nb\\x1b[31mc\\u202e"
    assert len(printable("x" * 10_000)) == TEXT_MAX + 3


def test_a_notice_as_text_has_its_kind_and_its_client() -> None:
    assert str(Notice("refused", "why", "1.2.3.4:5")) == "refused: 1.2.3.4:5: why"
    assert str(Notice("fault", "why")) == "fault: why"
