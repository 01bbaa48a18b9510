"""Times that fall so far that the work may not have been done."""

from collections.abc import Iterable

from arbo_bo.experiment import Trial, TrialStatus

FALL = 100.0
"""A run that is so many times faster than one before is asked about."""
SPARE = 10.0
"""...unless more workers explain all but this factor, each of them as fast as the first."""


def fallen_from(trial: Trial, earlier: Iterable[Trial]) -> Trial | None:
    """The newest earlier run of the same size that makes this one's time hard to believe.

    An incremental build, say, has nothing to do the second time. Perfect speed-up is granted: the
    time may fall as much as the degree rises.
    """
    time_s = trial.execution_time_s
    if time_s is None:
        return None
    for other in reversed(list(earlier)):
        if other.status is not TrialStatus.COMPLETED or other.trial_index == trial.trial_index:
            continue
        if other.input_size != trial.input_size or other.execution_time_s is None:
            continue
        fall = other.execution_time_s / time_s
        more_workers = max(1.0, trial.parallelism / other.parallelism)
        return other if fall >= FALL and fall >= SPARE * more_workers else None
    return None
