"""Hostile names and values: refused with an error of arbo's family, or kept harmlessly."""

import math
import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arbo_bo import ArboOptimizer
from arbo_bo.errors import ArboError, InvalidValueError
from arbo_bo.experiment import Decision

EXAMPLES = int(os.environ.get("ARBO_FUZZ_EXAMPLES", "200"))
"""Several thousand where there is time: ARBO_FUZZ_EXAMPLES=5000."""

STRANGE_NAMES = [
    "'; DROP TABLE execution_history; --",
    'a" OR 1=1 --',
    "<script>alert(1)</script>",
    "$(reboot) `reboot` {{ var }} %s %(x)s",
    "📈 naïve 名前",
    "../../etc/passwd",
]
REFUSED_NAMES = ["\x1b[31mred", "two\nlines", "a\x00b", "\u202eabc", "x" * 1_000_000, "\ud800", ""]
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 40),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([*STRANGE_NAMES, *REFUSED_NAMES[:4], math.nan, 10**400, -0.0, b"x", object()]),
    st.lists(st.integers(-1, 9) | st.floats(), max_size=4),
    st.tuples(st.integers(-3, 99), st.integers(-3, 99)),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)
tasks = st.sampled_from(["t", "t", "t", "empty", "unknown"]) | anything
indices = st.sampled_from([0, 1, 2]) | anything
ENTRIES = {
    "suggest": (
        [tasks],
        [
            "input_size",
            "cluster_load",
            "max_parallelism",
            "idempotency_key",
            "run_key",
            "deadline_s",
        ],
    ),
    "decide": ([tasks], ["input_size", "cluster_load"]),
    "predict": ([tasks], ["parallelism", "input_size", "cluster_load"]),
    "configure_experiment": (
        [tasks],
        ["parallelism", "default_parallelism", "window", "baseline", "residual", "lease_s", "mean"],
    ),
    "complete_trial": (
        [tasks, indices],
        [
            "startup_time_s",
            "input_size",
            "time_measure",
            "queued_time_s",
            "exclusion_reason",
        ],
    ),
    "mark_trial_failed": ([tasks, indices], ["reason", "timed_out_after_s"]),
    "mark_trial_abandoned": ([tasks, indices], ["reason"]),
    "exclude_trial": ([tasks, indices], ["reason"]),
    "include_trial": ([tasks, indices], []),
    "rename_experiment": ([tasks, tasks], []),
    "delete_experiment": ([anything], []),
    "attach_trials": ([tasks, st.lists(st.dictionaries(st.text(), anything), max_size=2)], []),
    "experiment": ([tasks], []),
    "trials": ([tasks], []),
}


@st.composite
def calls(draw):
    name = draw(st.sampled_from(sorted(ENTRIES)))
    positions, optional = ENTRIES[name]
    options = {key: anything for key in draw(st.sets(st.sampled_from(optional or ["x"])))}
    options = {key: draw(value) for key, value in options.items() if key in optional}
    if name == "complete_trial":
        options["execution_time_s"] = draw(anything)
    return name, [draw(value) for value in positions], options


@pytest.fixture(scope="module")
def arbo():
    with ArboOptimizer("sqlite://") as optimizer:
        yield optimizer


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(call=calls())
def test_only_arbos_errors_come_out(arbo, call):
    name, arguments, options = call
    arbo.configure_experiment("empty")
    with suppress(ArboError):
        getattr(arbo, name)(*arguments, **options)


@settings(max_examples=EXAMPLES // 2, deadline=None, database=None, derandomize=True)
@given(task=anything, default=anything, size=anything, load=anything)
def test_advice_never_raises(arbo, task, default, size, load):
    answer = arbo.get_optimal_parallelism(task, default, input_size=size, cluster_load=load)
    assert answer is default or isinstance(answer, int)


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_name_is_kept_as_it_is(store_url, name):
    with ArboOptimizer(store_url, namespace=name) as optimizer:
        decision = optimizer.suggest(name, idempotency_key=name, run_key=name)
        assert isinstance(decision, Decision)
        optimizer.mark_trial_failed(name, decision.trial_index, reason=name)
        (trial,) = optimizer.trials(name)
        assert (trial.task, trial.run_key, trial.failure_reason) == (name, name, name)
        assert [e.name for e in optimizer.experiments()] == [name]


@pytest.mark.parametrize("name", REFUSED_NAMES, ids=range(len(REFUSED_NAMES)))
def test_unprintable_name_is_refused(store_url, name):
    with ArboOptimizer(store_url) as optimizer:
        with pytest.raises(InvalidValueError) as caught:
            optimizer.suggest(name)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("reason", REFUSED_NAMES[:6], ids=range(6))
def test_hostile_reason_is_kept_harmlessly(store_url, reason):
    with ArboOptimizer(store_url) as optimizer:
        decision = optimizer.suggest("t")
        optimizer.mark_trial_failed("t", decision.trial_index, reason=reason)
        kept = optimizer.trials("t")[0].failure_reason
    assert len(kept) <= 4000
    assert all(ch.isprintable() or ch == "\n" for ch in kept)
