"""One sentence that a person understands."""

import math
from collections.abc import Sequence

from arbo_bo.experiment import Candidate, Experiment, Phase
from arbo_bo.wording import count, format_time


def opening_reason(experiment: Experiment, degree: int, phase: Phase, has_data: bool) -> str:
    """Why an opening run has its degree."""
    if phase is Phase.BASELINE:
        return (
            f"{count(degree)}: the smallest allowed degree gives the baseline time that "
            "speed-up is measured from."
        )
    if degree == experiment.probe_parallelism:
        return (
            f"{count(degree)}: the default degree, run as a probe to see how the time falls "
            "with more workers."
        )
    return (
        f"{count(degree)}: a second degree is needed to learn how the time falls with more workers."
    )


def optimize_reason(
    experiment: Experiment, best: Candidate, candidates: Sequence[Candidate]
) -> str:
    """Why the optimizer chose this degree, compared with its closest rival."""
    prediction, objective = best.prediction, experiment.objective
    text = (
        f"{count(best.parallelism)}: expected {format_time(prediction.mean_s)} "
        f"(± {format_time(prediction.std_s)}) gives the lowest {objective} of "
        f"{len(candidates)} allowed degrees"
    )
    rivals = [c for c in candidates if c is not best]
    if rivals:
        rival = min(rivals, key=lambda c: c.log_score)
        worse = 100 * math.expm1(min(rival.log_score - best.log_score, 700.0))
        higher = f"{worse:.1f} % higher" if worse < 1e4 else "far higher"
        text += f"; next best is {rival.parallelism}, {higher}"
    if objective.favours_fewest_workers and best.parallelism == candidates[0].parallelism:
        text += (
            f"; with urgency {objective.urgency:g} not above the cost exponent "
            f"{objective.exponent:g}, fewer workers always win"
        )
    return text + "."
