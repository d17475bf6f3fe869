"""The broker's time, held against wall clocks that jump."""

from kproof_impl.shell.clock import Clock


class Times:
    """A wall clock and an even clock in a test's hand, in seconds."""

    def __init__(self) -> None:
        self.wall = 1_000.0
        self.even = 0.0
        self.clock = Clock(lambda: self.wall, lambda: self.even)

    def later(self, even: float, wall: float) -> int:
        """The time after the clocks have gone on by so much."""
        self.even += even
        self.wall += wall
        return self.clock.now_ms()


def test_the_time_is_that_of_the_wall_clock_in_milliseconds() -> None:
    times = Times()

    assert times.clock.now_ms() == 1_000_000
    assert times.later(2.5, 2.5) == 1_002_500


def test_a_step_forward_is_followed() -> None:
    assert Times().later(1, 3_600) == 4_600_000


def test_a_step_back_is_not_followed_but_the_clock_goes_on_at_half_speed() -> None:
    times = Times()

    assert times.later(10, -50) == 1_005_000
    assert times.later(10, 10) == 1_010_000


def test_after_a_step_back_the_wall_clock_catches_up() -> None:
    times = Times()
    times.later(0, -50)
    told = [times.later(1, 1) for _ in range(150)]

    assert told == sorted(set(told))
    assert told[98] == 1_049_500
    assert told[-1] == 1_100_000 == int(times.wall * 1000)


def test_the_time_never_goes_back_whatever_the_wall_clock_does() -> None:
    times = Times()
    steps = (0.001, -1.0, 0.3, -0.0005, 5.0, -5.0, 0.0, 0.25)
    told = [times.later(0.001, step) for step in steps * 20]

    assert told == sorted(told)
    assert told[-1] > told[0]
