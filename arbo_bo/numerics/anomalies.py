"""Runs that do not fit: stragglers are set aside, lasting changes of speed levelled out (numpy).

Each explanation is weighed as a hypothesis beside "nothing happened", by the log posterior density
of the hyperparameters refitted under it. Setting run i aside replaces its predictive density by
eps q(e_i), e_i being its distance from what the others predict; a change before run t adds delta to
the older runs' outcomes and costs eps' q(delta); q is a broad normal density. So a window of few
runs, where the hyperparameters can stretch to explain anything, sets nothing aside, while a repeat
at the same degree can. In log time a change of speed is a shift.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arbo_bo.numerics.arrays import Vector, log_ndtr
from arbo_bo.numerics.batches import padded, stacked
from arbo_bo.numerics.evidence import LOG_2PI, Evidence
from arbo_bo.numerics.inputs import TYPE, S, is_typed
from arbo_bo.numerics.newton import maximise
from arbo_bo.numerics.priors import AnomalyPrior
from arbo_bo.numerics.problem import FitProblem


class Change(NamedTuple):
    """A lasting change of speed.

    Attributes:
        before: The first run at the new speed, its position in the window.
        size: What the older runs' outcomes are moved by: a logarithm of a factor, or T / u.
    """

    before: int
    size: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """What happened in a window, as far as its runs tell.

    Attributes:
        kept: Which runs train, shape (n,), bool.
        y: Outcomes of all runs: at the newest level, and of a censored run its expectation.
        x: Hyperparameters fitted to the kept runs' outcomes under a diffuse prior of the noise.
        log_density: Their log posterior density, and `cost`.
        cost: What the hypotheses add to it.
        changes: The changes of speed, in the order in which they were found.
    """

    kept: NDArray[np.bool_]
    y: Vector
    x: Vector
    log_density: float
    cost: float = 0.0
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, eq=False)
class _Hypothesis:
    """A window's state, and one more thing that may have happened in it.

    Attributes:
        problem: Which of the problems it is about.
        state: What is held of it so far.
        kept: Which runs train under it.
        start: Where its refit begins, the step's size included.
        cost: What it adds, where that is known before the refit.
        first: For a change, the first run at the new speed; None: a straggler.
        step: The runs before the change as 1, shape (n,); zeros for a straggler.
    """

    problem: int
    state: Explanation
    kept: NDArray[np.bool_]
    start: Vector
    cost: float
    first: int | None
    step: Vector


def explain(problems: Sequence[FitProblem], x: Vector) -> list[Explanation]:
    """Sets stragglers aside and levels changes out, greedily, while the evidence rises.

    A prior of small noise would take every other run of a noisy task for a straggler, so that runs
    are judged under a diffuse one.

    Args:
        problems: Windows of one law and residual; of a censored run, the outcome that it exceeded.
        x: Hyperparameters fitted to them, ``B x P``.
    """
    found = maximise(stacked(problems, diffuse_noise=True), x)
    states = [
        Explanation(np.ones(p.size, bool), p.y, found.x[i], float(found.value[i]))
        for i, p in enumerate(problems)
    ]
    for i, p in enumerate(problems):
        if p.censored.any():
            states[i] = _imputed(p, states[i])
    open_ones = list(range(len(problems)))
    for _ in range(problems[0].priors.anomalies.most):
        hypotheses = _hypotheses(problems, states, open_ones)
        if not hypotheses:
            break
        better = _judged(problems, hypotheses)
        for i, state in better.items():
            states[i] = state
        open_ones = sorted(better)
        if not open_ones:
            break
    return states


def _log_broad(error: Vector, spread: float) -> Vector:
    return np.asarray(-0.5 * (error / spread) ** 2 - math.log(spread) - 0.5 * LOG_2PI)


def _imputed(problem: FitProblem, state: Explanation) -> Explanation:
    """Each censored run at E[y | y > limit] under what the others predict of it.

    A limit that lies so far below the prediction that it says nothing leaves its run out.
    """
    limit, censored, prior = problem.y, problem.censored, problem.priors.anomalies
    for _ in range(prior.imputations):
        now = stacked([problem], diffuse_noise=True, kept=state.kept[None] * 1.0, y=state.y[None])
        _, inverse, alpha = now.left_out(state.x[None])
        std = 1 / np.sqrt(np.diagonal(inverse[0]))
        predicted = np.where(state.kept, state.y - alpha[0] * std**2, np.nan)
        z = np.where(state.kept, (limit - predicted) / std, np.nan)
        kept = state.kept & ~(censored & (z < prior.uninformative))
        imputed, y = censored & kept, limit.copy()
        at = z[imputed]
        hazard = np.exp(-0.5 * at**2 - 0.5 * LOG_2PI - log_ndtr(-at))
        y[imputed] = predicted[imputed] + std[imputed] * hazard
        again = stacked([problem], diffuse_noise=True, kept=kept[None] * 1.0, y=y[None])
        found = maximise(again, state.x[None])
        state = Explanation(kept, y, found.x[0], float(found.value[0]))
    return state


def _hypotheses(
    problems: Sequence[FitProblem], states: Sequence[Explanation], indices: Sequence[int]
) -> list[_Hypothesis]:
    """The likeliest straggler and the likeliest change of each window, where plausible."""
    chosen = [problems[i] for i in indices]
    size = max(p.size for p in chosen)
    evidence = stacked(
        chosen,
        diffuse_noise=True,
        kept=padded([states[i].kept * 1.0 for i in indices], size),
        y=padded([states[i].y for i in indices], size),
    )
    _, inverse, alpha = evidence.left_out(np.array([states[i].x for i in indices]))
    found = []
    for row, i in enumerate(indices):
        runs = np.flatnonzero(states[i].kept)
        inside, weights = inverse[row][np.ix_(runs, runs)], alpha[row][runs]
        prior = problems[i].priors.anomalies
        found.append(_straggler(i, problems[i], states[i], runs, inside, weights, prior))
        found.append(_change(i, problems[i], states[i], runs, inside, weights, prior))
    return [h for h in found if h is not None]


def _straggler(
    index: int,
    problem: FitProblem,
    state: Explanation,
    runs: NDArray[np.intp],
    inverse: Vector,
    alpha: Vector,
    prior: AnomalyPrior,
) -> _Hypothesis | None:
    """That the run which the others predict worst is a straggler; None where implausible."""
    if len(runs) <= prior.fewest_kept:
        return None
    precision = np.diagonal(inverse)
    error = alpha / precision
    log_predictive = 0.5 * (np.log(precision) - alpha * error - LOG_2PI)
    # A degree that was run once may just be a slow one.
    arms = problem.X[runs][:, [S, TYPE] if is_typed(problem.X) else [S]]
    repeated = (arms[:, None] == arms).all(-1).sum(axis=1) > 1
    costs = np.where(repeated, math.log(prior.straggler), -np.inf)
    costs = costs + _log_broad(error, prior.spread)
    worst = int(np.argmax(costs - log_predictive))
    if (costs - log_predictive)[worst] < -prior.refit_margin:
        return None
    kept = state.kept.copy()
    kept[runs[worst]] = False
    start = np.insert(state.x, len(problem.law.parameters), 0.0)
    return _Hypothesis(index, state, kept, start, float(costs[worst]), None, np.zeros(problem.size))


def _change(
    index: int,
    problem: FitProblem,
    state: Explanation,
    runs: NDArray[np.intp],
    inverse: Vector,
    alpha: Vector,
    prior: AnomalyPrior,
) -> _Hypothesis | None:
    """That the speed changed for good at the likeliest place; None where implausible."""
    n = len(runs)
    before = np.arange(prior.fewest_since, n - prior.fewest_since + 1)
    if n < prior.fewest_kept or not len(before):
        return None
    score = np.cumsum(alpha)[before - 1]
    information = np.diagonal(inverse.cumsum(0).cumsum(1))[before - 1]
    delta = score / information
    gains = math.log(prior.change) + _log_broad(delta, prior.spread) + 0.5 * score * delta
    best = int(np.argmax(gains))
    if gains[best] < -prior.refit_margin:
        return None
    step = np.zeros(problem.size)
    step[runs[: before[best]]] = 1.0
    start = np.insert(state.x, len(problem.law.parameters), delta[best])
    cost = math.log(prior.change)
    return _Hypothesis(index, state, state.kept, start, cost, int(runs[before[best]]), step)


def _judged(
    problems: Sequence[FitProblem], hypotheses: Sequence[_Hypothesis]
) -> dict[int, Explanation]:
    """Refits every hypothesis; of each problem the best, where it beats what is held of it."""
    chosen = [problems[h.problem] for h in hypotheses]
    size, m = max(p.size for p in chosen), len(chosen[0].law.parameters)
    prior = chosen[0].priors.anomalies
    evidence = stacked(
        chosen,
        diffuse_noise=True,
        kept=padded([h.kept * 1.0 for h in hypotheses], size),
        y=padded([h.state.y for h in hypotheses], size),
        step=padded([h.step for h in hypotheses], size),
    )
    # The step's prior has its density at 0 where there is no step, which is taken out again.
    unused = float(_log_broad(np.zeros(()), prior.spread))
    target = np.array([_least(h, unused) for h in hypotheses])
    found = maximise(evidence, np.array([h.start for h in hypotheses]), target)
    better: dict[int, Explanation] = {}
    for row, h in enumerate(hypotheses):
        value, x = float(found.value[row]), found.x[row]
        best = better.get(h.problem, h.state)
        if h.first is None:
            cost = h.state.cost + h.cost
            total, y, changes = value - unused + cost, h.state.y, h.state.changes
        else:
            if value < target[row]:
                continue
            cost = h.state.cost + h.cost + _width(evidence.take(slice(row, row + 1)), x, h.step)
            y = h.state.y - x[m] * (np.arange(len(h.step)) < h.first)
            # The density of the size stands in the value already; it is a cost like the others.
            broad = float(_log_broad(x[m], prior.spread))
            total, cost = value + cost, cost + broad
            changes = (*h.state.changes, Change(h.first, float(x[m])))
        if total > best.log_density:
            better[h.problem] = Explanation(h.kept, y, np.delete(x, m), total, cost, changes)
    return better


def _least(h: _Hypothesis, unused: float) -> float:
    """What the refit of a hypothesis must reach to win: for a change, its odds at least.

    A change's size is integrated out over a width that is no more than exp(3) outcomes.
    """
    if h.first is None:
        return h.state.log_density - h.state.cost - h.cost + unused
    return h.state.log_density - h.state.cost - h.cost - 0.5 * LOG_2PI - 3.0


def _width(evidence: Evidence, x: Vector, step: Vector) -> float:
    """The log width of the likelihood in the step's size: it turns a density into its integral."""
    _, inverse, _ = evidence.left_out(x[None])
    n = len(step)
    return 0.5 * (LOG_2PI - math.log(step @ inverse[0][:n, :n] @ step))
