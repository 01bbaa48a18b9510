"""The recommended planner: the least expected cost that keeps the deadline as likely as asked."""

import math
from dataclasses import replace

import numpy as np

from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Deadline, Percentile, Target
from arbo_bo.planning.network import Numbers
from arbo_bo.planning.planners.registry import Choice
from arbo_bo.planning.planners.relaxation import relaxed_choices
from arbo_bo.planning.planners.search import (
    ENUMERATED,
    ENUMERATED_IN_SLOTS,
    EXACT_MOVES,
    Found,
    best_of,
    enumerated,
    improved,
    single_moves,
    useful_options,
)
from arbo_bo.planning.planners.simple import uniform_choices

STARTS = 3
"""Choices of the relaxation that are improved, besides the best plan of one degree for all."""
LIKELIER_MOVES = 20
"""Moves that make an infeasible goal likelier; five were the most that helped."""
ERRORS = 2.0
"""Standard errors within which two probabilities of the same samples are as good as one."""
FEW_UP_TO = 200
"""Stages up to which several starts are improved: beyond, the best one alone takes seconds."""


def chance(forecast: Forecast, target: Target) -> Choice:
    """Least expected cost with P(makespan <= D) >= probability, on the joint samples.

    By enumeration where there are few choices; else from a relaxation, by improving moves. Where no
    choice keeps the goal, the one that is most likely to, and the nearest deadline that one keeps.
    """
    found, how = solved(forecast, target)
    if found.excess <= 0:
        return Choice(found.choice, how)
    if target.deadline is None:
        return Choice(found.choice, f"no choice keeps it; the nearest one, {how}")
    nearest = _nearest_deadline(forecast, target, found)
    likely = _likeliest(forecast, target, found)
    return Choice(likely, f"no choice keeps it; the likeliest one, {how}", None, nearest)


def solved(forecast: Forecast, target: Target) -> tuple[Found, str]:
    """The best choice that was found, and how."""
    useful = useful_options(forecast)
    count = math.prod(map(len, useful))
    if count <= (ENUMERATED if forecast.network.capacity is None else ENUMERATED_IN_SLOTS):
        return enumerated(forecast, target, useful), f"the best of all {count} choices"
    starts = np.concatenate([relaxed_choices(forecast, target), uniform_choices(forecast)[0]])
    excess, value = forecast.judged(starts, target)
    order = np.lexsort((value, np.round(excess, 9)))
    few = 1 if len(forecast) > FEW_UP_TO else STARTS
    best = None
    for i in order[:few]:
        start = Found(starts[i], float(excess[i]), float(value[i]))
        found = improved(forecast, target, start, useful)
        if found.is_better_than(best):
            best = found
    assert best is not None
    return best, "by improving moves from a relaxation"


def _nearest_deadline(forecast: Forecast, target: Target, found: Found) -> float:
    """The least quantile of the makespan that any choice was found to reach [s]."""
    assert target.deadline is not None
    fastest = Target(budget=target.budget, makespan=Percentile(100 * target.deadline.probability))
    start = best_of(forecast, fastest, found.choice[None])
    return improved(forecast, fastest, start, useful_options(forecast)).value


def _likeliest(forecast: Forecast, target: Target, found: Found) -> Numbers:
    """The choice that keeps the deadline most often, by moves from the one that misses least.

    Of those that do so as often, within what the samples tell, the cheapest.
    """
    assert target.deadline is not None
    now, best = found.choice, -1.0
    for _ in range(LIKELIER_MOVES):
        moves = np.vstack([now[None], single_moves(now, useful_options(forecast))])
        if len(moves) > EXACT_MOVES:
            break
        likely = forecast.likely(moves, target)
        i = int(likely.argmax())
        if likely[i] <= best:
            break
        now, best = moves[i], float(likely[i])
    told = best - ERRORS * math.sqrt(best * (1 - best) / forecast.size)
    if not 0 < told < 1:
        return now
    cheaper = solved(forecast, replace(target, deadline=Deadline(target.deadline.seconds, told)))[0]
    return cheaper.choice if cheaper.excess <= 0 else now
