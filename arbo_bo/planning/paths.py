"""Longest paths through a timing: which stages hold the makespan up, and what one change would do.

With the start of every stage from the front and the longest way to the end from the back, a
stage's own path is their sum. A path that avoids a stage crosses its place in the order of stages
on some dependency, so that the longest of those is a maximum over the dependencies that span the
place: the effect of any change of any one stage follows without another walk.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.network import Network, Timing, latest

CLOSE = 1e-9
"""Ends within this, relative to the makespan, are one: what rounding leaves of a sum."""


def on_path(network: Network, timing: Timing) -> Vector:
    """Which stages lie on the longest path in each sample, ``S x N``; one path a sample.

    From the stage that ends last to the parent that it waited for, and so on. Where it waited for
    workers and not for a parent, the path goes on with the stage that freed them.

    Args:
        network: The dependencies.
        timing: Of one row.
    """
    finish = [f[0] for f in timing.finish]
    start = [s[0] for s in timing.start]
    size = finish[0].shape[0]
    if network.capacity is not None:
        return _traced(network, np.array(start), np.array(finish))
    found = np.zeros((len(finish), size), bool)
    ends = np.array([finish[i] for i in network.last])
    _mark(found, network.last, ends.argmax(0), np.ones(size, bool))
    for i in range(len(finish) - 1, -1, -1):
        parents = network.parents[i]
        if not parents or not found[i].any():
            continue
        if len(parents) == 1:
            found[parents[0]] |= found[i]
            continue
        _mark(found, parents, np.array([finish[p] for p in parents]).argmax(0), found[i])
    return found


def _mark(found: Vector, stages: Sequence[int], chosen: Vector, where: Vector) -> None:
    for k, stage in enumerate(stages):
        found[stage] |= where & (chosen == k)


def _traced(network: Network, start: Vector, finish: Vector) -> Vector:
    """`on_path` where stages wait for workers: back to whatever ended when a stage began."""
    stages, size = finish.shape
    found, at = np.zeros((stages, size), bool), np.arange(size)
    now = finish.argmax(0)
    going = np.ones(size, bool)
    for _ in range(stages):
        found[now[going], at[going]] = True
        begun = start[now, at]
        before = np.where(finish <= begun * (1 + CLOSE) + CLOSE, finish, -np.inf)
        before[now, at] = -np.inf
        going = going & (begun > CLOSE) & np.isfinite(before.max(0))
        if not going.any():
            break
        now = np.where(going, before.argmax(0), now)
    return found


@dataclass(frozen=True, eq=False)
class Around:
    """What stands around each stage, in samples of one row; each attribute is ``S x N``.

    Attributes:
        before: When the stage's work begins.
        after: From its end to the workflow's, on the longest way.
        beside: The longest path that avoids it.
    """

    before: Vector
    after: Vector
    beside: Vector

    def makespan(self, stage: int, duration: Vector) -> Vector:
        """The makespan with another duration of one stage, ``... x N``."""
        through = self.before[stage] + duration + self.after[stage]
        return np.asarray(np.maximum(self.beside[stage], through))


def around(network: Network, timing: Timing, durations: Sequence[Vector]) -> Around:
    """What stands around each stage; start-ups and transfers stay as they are.

    Args:
        network: The dependencies, without a limit on workers.
        timing: Of one row.
        durations: Of the stages' work, shape (N,) each.
    """
    stages, size = len(durations), len(durations[0])
    work = np.array([f[0] - d for f, d in zip(timing.finish, durations, strict=True)])
    finish = np.array([f[0] for f in timing.finish])
    after = np.zeros((stages, size))
    lag: list[list[Vector]] = [[] for _ in range(stages)]
    for i in range(stages - 1, -1, -1):
        parents = network.parents[i]
        if not parents:
            continue
        moved = work[i] - latest([finish[p] for p in parents])
        lag[i] = [moved] * len(parents)
        for p in parents:
            np.maximum(after[p], moved + durations[i] + after[i], out=after[p])
    beside = _beside(network, finish, work, durations, after, lag)
    return Around(work, after, beside)


def _beside(
    network: Network,
    finish: Vector,
    work: Vector,
    durations: Sequence[Vector],
    after: Vector,
    lag: Sequence[Sequence[Vector]],
) -> Vector:
    """The longest path that avoids each stage, by a tree of maxima over places in the order."""
    beside = _Maxima(*finish.shape)
    for i, parents in enumerate(network.parents):
        ahead = durations[i] + after[i]
        if not parents:
            beside.cover(0, i, work[i] + ahead)
        for p, moved in zip(parents, lag[i], strict=True):
            beside.cover(p + 1, i, finish[p] + moved + ahead)
        if not network.children[i]:
            beside.cover(i + 1, len(finish), finish[i])
    return beside.values()


class _Maxima:
    """The maximum at each of S places of values that cover ranges of them.

    Args:
        places: S.
        size: N, the samples of a value.
    """

    def __init__(self, places: int, size: int) -> None:
        self._places = places
        self._leaves = 1 << max(places - 1, 1).bit_length()
        self._tree = np.zeros((2 * self._leaves, size))

    def cover(self, first: int, end: int, value: Vector) -> None:
        """Raises the places first to end - 1 to a value."""
        low, high = first + self._leaves, end + self._leaves
        while low < high:
            if low & 1:
                np.maximum(self._tree[low], value, out=self._tree[low])
                low += 1
            if high & 1:
                high -= 1
                np.maximum(self._tree[high], value, out=self._tree[high])
            low, high = low >> 1, high >> 1

    def values(self) -> Vector:
        """``S x N``."""
        tree, leaves = self._tree, self._leaves
        for node in range(1, leaves):
            np.maximum(tree[2 * node : 2 * node + 2], tree[node], out=tree[2 * node : 2 * node + 2])
        return tree[leaves : leaves + self._places]
