"""When stages run: paths, transfers, start-ups, limits, and the effect of one change."""

import numpy as np
import pytest

from arbo_bo.planning.network import Arrangement, Load, Network
from arbo_bo.planning.paths import around, on_path


def loads(durations, workers=None, startup=0.0):
    count = len(durations)
    workers = workers or [1] * count
    column = lambda v: np.array([[v]])  # noqa: E731
    return [
        Load(np.atleast_2d(np.asarray(d, float)), column(startup), column(w), column(0))
        for d, w in zip(durations, workers, strict=True)
    ]


def network(parents, transfer=0.0, **given):
    return Network(parents, [[transfer] * len(p) for p in parents], **given)


def random_network(rng, stages=12, size=20):
    parents = [
        sorted(rng.choice(i, min(i, rng.integers(0, 4)), replace=False).tolist())
        for i in range(stages)
    ]
    return network(parents, 0.5), rng.lognormal(0, 1, (stages, size))


DIAMOND = [[], [0], [0], [1, 2]]


def test_stage_waits_for_its_slowest_parent():
    timing = network(DIAMOND).timing(loads([[1.0], [5.0], [2.0], [1.0]]), Arrangement())
    assert timing.makespan == 7.0
    assert timing.start[3] == 6.0


def test_inputs_are_fetched_one_after_another_once_all_are_ready():
    timing = network(DIAMOND, 2.0).timing(loads([[1.0], [5.0], [2.0], [1.0]]), Arrangement())
    assert timing.start[3] == 1 + 2 + 5 + 2 * 2


def test_preloaded_inputs_are_fetched_as_each_becomes_ready():
    preloaded = Arrangement(preloaded=frozenset({3}))
    timing = network(DIAMOND, 2.0).timing(loads([[1.0], [5.0], [2.0], [1.0]]), preloaded)
    assert timing.start[3] == 1 + 2 + 5 + 2


def test_worker_of_a_parent_is_warm_and_holds_its_output():
    claimed = Arrangement(claims={1: 0})
    timing = network([[], [0]], 2.0).timing(loads([[1.0], [1.0]], startup=10.0), claimed)
    assert timing.makespan == 10 + 1 + 1


def test_worker_that_waited_longer_than_it_stays_warm_starts_up_again():
    cold = network(DIAMOND, keep_warm_s=1.0)
    claimed = Arrangement(claims={3: 2})
    timing = cold.timing(loads([[1.0], [5.0], [2.0], [1.0]], startup=1.0), claimed)
    assert timing.makespan == (1 + 1) + (1 + 5) + 1 + 1


def test_larger_stage_does_not_fit_on_its_parents_workers():
    claimed = Arrangement(claims={1: 0})
    timing = network([[], [0]]).timing(loads([[1.0], [1.0]], [2, 4], startup=10.0), claimed)
    assert timing.makespan == 22.0


def test_workers_that_are_warmed_ahead_are_ready_when_the_stage_is():
    warmed = Arrangement(warmed={2: 0})
    timing = network([[], [0], [1]]).timing(loads([[1.0], [8.0], [1.0]], startup=5.0), warmed)
    assert timing.makespan == 5 + 1 + 5 + 8 + 1


def test_stages_share_a_limited_number_of_workers():
    timing = network([[], [], []], capacity=4).timing(
        loads([[4.0], [4.0], [4.0]], [2, 2, 2]), Arrangement()
    )
    assert sorted(float(s[0, 0]) for s in timing.start) == [0.0, 0.0, 4.0]


@pytest.mark.parametrize("seed", range(5))
def test_limit_that_never_binds_changes_nothing(seed):
    free, durations = random_network(np.random.default_rng(seed))
    limited = Network(free.parents, free.transfer, capacity=len(durations))
    given = loads(durations)
    expected = free.timing(given, Arrangement()).makespan
    np.testing.assert_allclose(limited.timing(given, Arrangement()).makespan, expected)


@pytest.mark.parametrize("seed", range(5))
def test_busy_workers_never_exceed_the_limit(seed):
    rng = np.random.default_rng(seed)
    free, durations = random_network(rng)
    workers = rng.integers(1, 4, len(durations)).tolist()
    limited = Network(free.parents, free.transfer, capacity=5)
    timing = limited.timing(loads(durations, workers), Arrangement())
    start, finish = np.array(timing.start)[:, 0], np.array(timing.finish)[:, 0]
    busy = (start[:, None] <= start[None]) & (start[None] < finish[:, None])
    assert (busy * np.array(workers)[:, None, None]).sum(0).max() <= 5


@pytest.mark.parametrize("seed", range(8))
def test_change_of_one_stage_equals_the_whole(seed):
    rng = np.random.default_rng(seed)
    net, durations = random_network(rng)
    before = net.timing(loads(durations), Arrangement())
    changed = int(rng.integers(len(durations)))
    durations[changed] *= rng.lognormal(0, 1)
    after = net.again(before, loads(durations), [changed], Arrangement())
    whole = net.timing(loads(durations), Arrangement())
    for a, b in zip(after.finish, whole.finish, strict=True):
        np.testing.assert_array_equal(a, b)


def test_change_reaches_nothing_that_does_not_come_after_it():
    net = network(DIAMOND)
    given = loads([[1.0], [5.0], [2.0], [1.0]])
    before = net.timing(given, Arrangement())
    after = net.again(before, loads([[1.0], [5.0], [3.0], [1.0]]), [2], Arrangement())
    assert after.finish[1] is before.finish[1]
    assert after.finish[3] is not before.finish[3] or after.makespan == before.makespan


@pytest.mark.parametrize("seed", range(8))
def test_effect_of_any_one_change_is_known_from_the_tables(seed):
    rng = np.random.default_rng(seed)
    net, durations = random_network(rng)
    tables = around(net, net.timing(loads(durations), Arrangement()), list(durations))
    stage = int(rng.integers(len(durations)))
    other = rng.lognormal(0, 1, durations.shape[1])
    changed = durations.copy()
    changed[stage] = other
    whole = net.timing(loads(changed), Arrangement()).makespan[0]
    np.testing.assert_allclose(tables.makespan(stage, other), whole)


def test_stage_is_critical_as_often_as_the_workflow_waits_for_it():
    timing = network(DIAMOND).timing(
        loads([[1.0, 1.0], [5.0, 1.0], [2.0, 2.0], [1.0, 1.0]]), Arrangement()
    )
    critical = on_path(network(DIAMOND), timing)
    np.testing.assert_array_equal(critical.mean(1), [1.0, 0.5, 0.5, 1.0])


def test_path_goes_on_with_the_stage_that_freed_the_workers():
    net = network([[], []], capacity=1)
    timing = net.timing(loads([[3.0], [2.0]]), Arrangement())
    assert on_path(net, timing).all()
