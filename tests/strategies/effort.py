"""How hard Hypothesis tries: the same examples in every run, so that a failure is a failure."""

from hypothesis import HealthCheck, settings

SLOW_PARTS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def effort(examples: int) -> settings:
    """Settings for so many examples, the same ones each time, however long one takes."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=SLOW_PARTS,
    )
