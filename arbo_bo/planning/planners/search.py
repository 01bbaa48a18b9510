"""Integer search among choices: by enumeration where that is small, else by improving moves.

Choices are compared by how far they miss the constraints first, and by what is minimised second.
"""

import math
from dataclasses import dataclass

import numpy as np

from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target, upper_quantile
from arbo_bo.planning.network import Numbers
from arbo_bo.planning.paths import around

ENUMERATED = 50_000
"""Choices that are all looked at: six stages of six degrees, in about a second."""
ENUMERATED_IN_SLOTS = 300
"""The same under a limit on workers, whose events take a hundred times as long."""
CHUNK = 2_048
"""Choices that are looked at before the cheapest feasible one may end an enumeration."""
EXACT_MOVES = 1_500
"""Single moves that are looked at for what a plan says of its neighbours."""
EXACT_WORK = 6_000_000
"""Moves x stages x samples up to which every single move is evaluated in each round, a tenth of a
second; more are estimated by tables, and evaluated where applied."""
IN_SLOTS = 20
"""How many times the work an evaluation under a limit on workers is."""
PAIRED = 25
"""Moves of either kind, dearer and faster, that are tried together."""
ROUNDS = 200
LARGE_ROUNDS = 10
"""Tables of the effect of every move in a large workflow."""
GROWTH = 4
"""How many times the moves of the last round are tried at once at first."""
SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Found:
    """A choice, and how it stands.

    Attributes:
        choice: Shape (S,).
        excess: How far the constraints are missed; 0: they are kept.
        value: What is minimised.
    """

    choice: Vector
    excess: float
    value: float

    def is_better_than(self, other: "Found | None") -> bool:
        """Whether it misses less, or misses as little and has the lesser value."""
        if other is None:
            return True
        if abs(self.excess - other.excess) > SAME:
            return self.excess < other.excess
        return self.value < other.value * (1 - SAME)


def best_of(forecast: Forecast, target: Target, choices: Vector) -> Found:
    """The best of some choices."""
    excess, value = forecast.judged(choices, target)
    i = int(np.lexsort((value, np.round(excess, 9)))[0])
    return Found(np.asarray(choices[i]), float(excess[i]), float(value[i]))


def useful_options(forecast: Forecast) -> list[Numbers]:
    """Each stage's options without those that another one beats in cost, mean and upper time.

    Where a child's time depends on the parts, a degree that is beaten may serve the child.
    """
    found: list[Numbers] = []
    for i, own in enumerate(forecast.times):
        every = np.arange(len(own.options))
        if not forecast.coupled[i]:
            high = np.quantile(own.time, 0.95, axis=1)
            measures = np.array([own.price * own.mean_time, own.mean_time, high])
            if own.startup.any():
                measures = np.vstack([measures, own.startup])
            worse = (measures[:, :, None] >= measures[:, None, :]).all(0)
            strictly = worse & (measures[:, :, None] > measures[:, None, :]).any(0)
            first = worse & ~strictly & (every[None, :] < every[:, None])
            every = every[~(strictly | first).any(1)]
        found.append(every)
    return found


def enumerated(forecast: Forecast, target: Target, useful: list[Numbers]) -> Found:
    """The best of all choices, in ascending order of expected cost where that is minimised."""
    open_ = [i for i, options in enumerate(useful) if len(options) > 1]
    shape = [len(useful[i]) for i in open_] or [1]
    places = np.array(np.unravel_index(np.arange(math.prod(shape)), shape))
    grid = np.tile([options[0] for options in useful], (math.prod(shape), 1))
    for i, place in zip(open_, places, strict=False):
        grid[:, i] = useful[i][place]
    if target.makespan is None:
        grid = grid[np.argsort(_mean_costs(forecast, grid), kind="stable")]
    best = None
    for first in range(0, len(grid), CHUNK):
        found = best_of(forecast, target, grid[first : first + CHUNK])
        if found.is_better_than(best):
            best = found
        if target.makespan is None and best is not None and best.excess <= 0:
            break
    assert best is not None
    return best


def _mean_costs(forecast: Forecast, grid: Vector) -> Vector:
    total = np.zeros(len(grid))
    for i, own in enumerate(forecast.times):
        chosen, parts = grid[:, i], np.maximum(forecast.parts(i, grid) - 1, 0)
        time = own.mean_time[chosen] + own.mean_part_time[chosen] * parts
        total += own.price[chosen] * time
    return total


def improved(forecast: Forecast, target: Target, start: Found, useful: list[Numbers]) -> Found:
    """The best choice that improving moves lead to: of one stage, or of two at once."""
    work = sum(map(len, useful)) * len(forecast) * forecast.size
    if forecast.network.capacity is not None:
        work *= IN_SLOTS
    if work > EXACT_WORK:
        if forecast.network.capacity is not None:
            return start
        return _improved_by_tables(forecast, target, start, useful)
    now = start
    for _ in range(ROUNDS):
        moves = single_moves(now.choice, useful)
        if not len(moves):
            break
        excess, value = forecast.judged(moves, target)
        i = int(np.lexsort((value, np.round(excess, 9)))[0])
        found = Found(moves[i], float(excess[i]), float(value[i]))
        if not found.is_better_than(now):
            pairs = _pairs(forecast, target, now, moves, excess, value)
            found = now if not len(pairs) else best_of(forecast, target, pairs)
        if not found.is_better_than(now):
            break
        now = found
    return now


def single_moves(choice: Vector, useful: list[Numbers]) -> Vector:
    """Every choice that differs in one stage."""
    rows = [
        np.where(np.arange(len(choice)) == i, option, choice)
        for i, options in enumerate(useful)
        for option in options
        if option != choice[i]
    ]
    return np.array(rows).reshape(-1, len(choice))


def _pairs(
    forecast: Forecast, target: Target, now: Found, moves: Vector, excess: Vector, value: Vector
) -> Vector:
    """Moves that would improve what is minimised but miss more, with those that miss less."""
    saving = np.flatnonzero(value < now.value)
    if now.excess > 0:
        return np.zeros((0, moves.shape[1]), int)
    found = forecast.evaluate(now.choice)
    base = float(upper_quantile(found.makespan, target.quantile)[0])
    reached = forecast.reached(moves, target.quantile)
    cost = (reached[saving] - base) / (now.value - value[saving])
    saving = saving[np.argsort(cost)[:PAIRED]]
    faster = np.flatnonzero((value >= now.value) & (reached < base))
    gain = (base - reached[faster]) / np.maximum(value[faster] - now.value, 1e-300)
    faster = faster[np.argsort(-gain)[:PAIRED]]
    rows = []
    for a in saving:
        for b in faster:
            both = np.where(moves[a] != now.choice, moves[a], moves[b])
            if value[a] + value[b] < 2 * now.value and (both != moves[a]).any():
                rows.append(both)
    return np.array(rows).reshape(-1, moves.shape[1])


def _improved_by_tables(
    forecast: Forecast, target: Target, start: Found, useful: list[Numbers]
) -> Found:
    """Improving moves by the tables of `arbo_bo.planning.paths.around`, as many at once as hold."""
    now, accepted = start, sum(map(len, useful))
    for _ in range(LARGE_ROUNDS):
        moves = _ranked(forecast, target, now, useful)
        size, best = min(len(moves), GROWTH * accepted), now
        while size:
            choice = now.choice.copy()
            for i, option in moves[:size]:
                choice[i] = option
            found = best_of(forecast, target, choice[None])
            if found.is_better_than(now):
                best, accepted = found, size
                break
            size //= 2
        if best is now:
            break
        now = best
    return now


def _ranked(
    forecast: Forecast, target: Target, now: Found, useful: list[Numbers]
) -> list[tuple[int, int]]:
    """Each stage's best move, the best first, by what it does alone."""
    row = now.choice[None]
    found = forecast.evaluate(row)
    beside = around(forecast.network, found.timing, [d[0] for d in found.durations])
    base = float(upper_quantile(found.makespan, target.quantile)[0])
    limit = math.inf if target.deadline is None else target.deadline.seconds
    cost, ranked = float(found.cost.mean()), []
    for i, own in enumerate(forecast.times):
        options = useful[i]
        factor = found.durations[i][0] / own.time[now.choice[i]]
        durations = own.time[options] * factor
        makespan = beside.makespan(i, durations)
        reached = upper_quantile(makespan, target.quantile)
        own_cost = own.price[options] * durations.mean(1)
        total = cost + own_cost - float(found.costs[i].mean())
        if target.makespan is not None:
            kept = np.ones(len(options), bool)
            if target.budget is not None:
                kept = total <= target.budget.usd
            gain = np.where(kept, base - reached, -np.inf)
        elif now.excess > 0:
            gain = (base - reached) / np.maximum(total - cost, 1e-3 * cost / len(forecast))
        else:
            gain = np.where(reached <= limit, cost - total, -np.inf)
        k = int(np.argmax(gain))
        if gain[k] > 0 and options[k] != now.choice[i]:
            ranked.append((float(gain[k]), i, int(options[k])))
    return [(i, option) for _, i, option in sorted(ranked, reverse=True)]
