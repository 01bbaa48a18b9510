"""Stages that share a limited number of workers: events in their order, in all samples at once.

Whenever workers are free, the stage that can begin first does, in each sample by itself.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from arbo_bo.numerics.arrays import Vector

if TYPE_CHECKING:
    from arbo_bo.planning.network import Arrangement, Load, Network, Timing


def in_slots(network: "Network", loads: "Sequence[Load]", arrangement: "Arrangement") -> "Timing":
    """When every stage runs, at most `Network.capacity` workers being busy at any time.

    Each of S steps begins one stage in every row: of those whose parents have ended, the one that
    can begin first; of several, the one that was given first. It takes the workers that are free
    first, all at once.
    """
    from arbo_bo.planning.network import Timing

    assert network.capacity is not None
    stages = len(loads)
    rows, size = loads[0].duration.shape
    every = rows * size
    start, finish, cold = (np.zeros((stages, rows, size)) for _ in range(3))
    workers = np.stack([_flat(load.workers, rows, size) for load in loads]).astype(int)
    free = np.zeros((every, network.capacity))
    missing = np.array([len(p) for p in network.parents])[:, None] + np.zeros((1, every), int)
    children, at = network.children, np.arange(every)
    ready = np.full((stages, every), np.inf)
    for i, parents in enumerate(network.parents):
        if not parents:
            ready[i] = 0.0 if network.release is None else network.release[i]
    for _ in range(stages):
        free.sort(axis=1)
        begin = np.maximum(ready, free[at[None, :], workers - 1])
        chosen = begin.argmin(0)
        for i in np.unique(chosen):
            picked = chosen == i
            mask = picked.reshape(rows, size)
            begun = begin[i].reshape(rows, size)
            wait = np.broadcast_to(
                network.waiting(i, begun, list(finish), loads, arrangement), (rows, size)
            )
            start[i][mask], cold[i][mask] = begun[mask], wait[mask]
            finish[i][mask] = (begun + wait + loads[i].duration)[mask]
            ready[i, picked] = np.inf
            taken = np.arange(network.capacity)[None, :] < workers[i, picked][:, None]
            ended = finish[i].reshape(-1)[picked]
            free[picked] = np.where(taken, ended[:, None], free[picked])
            for child in children[i]:
                missing[child, picked] -= 1
                open_ = picked & (missing[child] == 0)
                if open_.any():
                    all_there = network.ready(child, list(finish), loads, arrangement).reshape(-1)
                    ready[child, open_] = all_there[open_]
    return Timing(list(start), list(finish), list(cold), network.last)


def _flat(values: Vector, rows: int, size: int) -> Vector:
    return np.broadcast_to(values, (rows, size)).reshape(-1)
