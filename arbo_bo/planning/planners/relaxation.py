"""Where a search starts: the time-cost trade-off with prices on time, a Lagrangian relaxation.

For a price m of the makespan the relaxed problem is

    minimise  sum_i cost_i(o_i) + m max over paths of sum of t_i(o_i)

whose dual has weights w_i, the share of all longest paths that go through stage i: given those,
each stage chooses by itself, cost_i(o) + m w_i t_i(o). In series every stage has the weight 1, side
by side they share it, which is what Ditto's closed forms say of a/x + b. The weights start at even
shares, and are found as Frank and Wolfe (1956) do, by walking towards the criticality of the choice
that they lead to; the price, by how far the deadline is missed.
"""

from collections.abc import Iterator

import numpy as np

from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target, upper_quantile
from arbo_bo.planning.network import Numbers

STEPS, LARGE_STEPS, LARGE = 40, 20, 200
"""Walks of the weights; the best choice seldom improves after thirty, and in workflows of more than
200 stages after fifteen."""
COARSE = 96
"""Samples that the walk looks at: it needs the shape of the problem, not its tails."""
STEP = 2.0
"""How the price answers a missed deadline: with the square of the ratio."""


def relaxed_choices(forecast: Forecast, target: Target) -> Vector:
    """Choices that the walk comes by, ``K x S``, each once."""
    found = {tuple(c): None for c in _walk(forecast.first(COARSE), target)}
    return np.array(list(found))


def fastest(forecast: Forecast) -> Numbers:
    """The choice with each stage's least expected time, its children's parts counted."""
    return _chosen(forecast, None, np.inf)


def cheapest(forecast: Forecast) -> Numbers:
    """The choice with each stage's least expected cost, its children's parts counted."""
    return _chosen(forecast, None, 0.0)


def _walk(forecast: Forecast, target: Target) -> Iterator[Vector]:
    cheap, fast = cheapest(forecast), fastest(forecast)
    yield cheap
    yield fast
    ends = [forecast.evaluate(c) for c in (cheap, fast)]
    times = [float(upper_quantile(e.makespan, target.quantile)[0]) for e in ends]
    costs = [float(e.cost.mean()) for e in ends]
    price = max(costs[1] - costs[0], 1e-9 * costs[1]) / max(times[0] - times[1], 1e-9 * times[0])
    depth = forecast.network.depth
    weights = 1.0 / np.bincount(depth)[depth]
    choice = fast
    for step in range(STEPS if len(forecast) <= LARGE else LARGE_STEPS):
        choice = _chosen(forecast, weights, price, choice)
        yield choice
        found = forecast.evaluate(choice)
        share = 2.0 / (step + 3)
        weights = (1 - share) * weights + share * forecast.criticality(found)
        price *= _answer(target, found.makespan[0], found.cost[0]) ** (STEP * max(share, 0.15))


def _answer(target: Target, makespan: Vector, cost: Vector) -> float:
    """By how much time should be dearer: above 1 where the makespan is too long."""
    if target.deadline is not None:
        reached = upper_quantile(makespan, target.deadline.probability)
        ratio = float(reached) / target.deadline.seconds
    elif target.budget is not None:
        reached = upper_quantile(cost, target.budget.probability)
        ratio = target.budget.usd / max(float(reached), 1e-300)
    else:
        ratio = 4.0
    return min(max(ratio, 0.25), 4.0)


def _chosen(
    forecast: Forecast, weights: Vector | None, price: float, before: Vector | None = None
) -> Vector:
    """Each stage's least cost_i(o) + price w_i t_i(o), its children's parts counted.

    Args:
        forecast: Of the stages.
        weights: w; None: 1 for all.
        price: m; infinite: time alone.
        before: The choice that tells how many parts the other parents make; None: one each.
    """
    w = np.ones(len(forecast)) if weights is None else weights
    time, cost = _padded(forecast)
    by_time = np.where(np.isinf(cost), np.inf, time)
    total = by_time if np.isinf(price) else cost + price * w[:, None] * time
    alone = total.argmin(1)
    choice = alone if before is None else before.copy()
    bound = [
        any(forecast.coupled[i]) or t.part_cost is not None for i, t in enumerate(forecast.times)
    ]
    choice = np.where(bound, choice, alone)
    for i in np.flatnonzero(bound).tolist():
        own = forecast.times[i]
        total = _lagrangian(forecast, i, w[i], price, _parts(forecast, i, choice))
        for c in forecast.coupled[i]:
            rest = _parts(forecast, c, choice) - own.workers[choice[i]]
            child = _lagrangian(forecast, c, w[c], price, rest + own.workers)
            total = total + child[:, choice[c]]
        choice[i] = int(np.argmin(total))
    return choice


def _padded(forecast: Forecast) -> tuple[Vector, Vector]:
    """Expected time and cost of every option with one part, ``S x m``; beyond a stage's: 0, inf."""
    most = max(len(t.options) for t in forecast.times)
    time = np.zeros((len(forecast), most))
    cost = np.full((len(forecast), most), np.inf)
    for i, own in enumerate(forecast.times):
        time[i, : len(own.options)] = own.mean_time
        cost[i, : len(own.options)] = own.price * own.mean_time
    return time, cost


def _lagrangian(
    forecast: Forecast, i: int, weight: float, price: float, parts: "float | Vector"
) -> Vector:
    own = forecast.times[i]
    time = own.mean_time_at(parts)
    if np.isinf(price):
        return time
    cost = own.price * time
    return np.asarray(cost + price * weight * time)


def _parts(forecast: Forecast, i: int, choice: Vector) -> float:
    return float(sum(forecast.times[p].workers[choice[p]] for p in forecast.network.parents[i]))
