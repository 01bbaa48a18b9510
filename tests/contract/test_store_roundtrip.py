"""What is written is read again, whatever the values."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Context,
    Experiment,
    Learned,
    Objective,
    Phase,
    Residual,
    SearchSpace,
    TimeMeasure,
    Trial,
    TrialStatus,
)
from arbo_bo.experiment.outcome import clean_reason
from arbo_bo.storage.store import SQLTrialStore

many = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    # One database for all examples is what is wanted here.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
positive = st.floats(min_value=1e-300, max_value=9e299)
sizes = st.none() | positive
degrees = st.integers(1, 2**31 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=zones)
spaces = st.builds(
    lambda low, more: SearchSpace.between(low, low + more),
    st.integers(1, 10_000),
    st.integers(0, 300),
) | st.lists(degrees, min_size=1, max_size=20).map(SearchSpace.of)
objectives = st.builds(Objective, positive, positive) | st.builds(
    Objective, urgency=positive, price_per_worker_hour=positive
)
experiments = st.builds(
    Experiment,
    name=names,
    search_space=spaces,
    default_parallelism=degrees,
    objective=objectives,
    window=st.integers(1, 500),
    baseline=st.booleans(),
    residual=st.sampled_from(Residual),
    alpha=st.floats(0, 1, exclude_min=True),
)
trials = st.builds(
    Trial,
    task=st.just("x"),
    trial_index=st.just(0),
    status=st.sampled_from([s for s in TrialStatus if s is not TrialStatus.COMPLETED]),
    arm=st.builds(Arm, degrees),
    context=st.builds(Context, sizes, st.none() | st.floats(0, 9e299)),
    phase=st.sampled_from(Phase),
    acquisition=st.none() | names,
    input_scale_factor=positive,
    predicted_time_s=st.none() | numbers,
    predicted_time_std_s=st.none() | numbers,
    execution_time_s=sizes,
    startup_time_s=st.none() | st.floats(0, 9e299),
    residual_s=st.none() | numbers,
    timed_out_after_s=sizes,
    failure_reason=st.none() | st.text(max_size=200).map(clean_reason),
    created_at=moments,
    started_at=st.none() | moments,
    finished_at=st.none() | moments,
    run_key=st.none() | names,
    time_measure=st.none() | st.sampled_from(TimeMeasure),
    queued_time_s=st.none() | st.floats(0, 9e299),
    exclusion_reason=st.none() | st.text(max_size=200).map(clean_reason),
    lease_expires_at=st.none() | moments,
    mean_cluster_load=st.none() | st.floats(0, 9e299),
    recommended_parallelism=st.none() | degrees,
    reason=st.none() | st.text(max_size=200).map(clean_reason),
    decision=st.none() | st.dictionaries(names, numbers, max_size=3),
    strategy=st.none() | st.dictionaries(names, numbers, max_size=3),
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)


@pytest.fixture
def roundtrip_store(store_url: str) -> Iterator[SQLTrialStore]:
    with SQLTrialStore(store_url) as opened:
        opened.configure("a", lambda _: Experiment("a"))
        yield opened


@many
@given(made=experiments)
def test_experiment_is_read_as_it_was_written(roundtrip_store, made):
    assert roundtrip_store.configure(made.name, lambda _: made) == made
    assert roundtrip_store.experiment(made.name) == made


@many
@given(made=st.lists(trials, min_size=1, max_size=8))
def test_trials_are_read_as_they_were_written(roundtrip_store, made):
    added = roundtrip_store.add("a", made)
    given = [
        replace(t, task="a", trial_index=a.trial_index, trial_id=a.trial_id)
        for t, a in zip(made, added, strict=True)
    ]
    assert added == given
    assert roundtrip_store.trials("a")[-len(made) :] == given
    read = roundtrip_store.trial("a", added[0].trial_index)
    assert {m.tzinfo for m in (read.created_at, read.started_at) if m} == {UTC}


@many
@given(made=st.dictionaries(names, json_values, max_size=5))
def test_hyperparameters_are_read_as_they_were_written(roundtrip_store, made):
    roundtrip_store.add("a", [], Learned(AmdahlLaw(1.0, 0.5), made))
    assert roundtrip_store.experiment("a").model.hyperparameters == made


@many
@given(t1=st.floats(1e-3, 1e9), p=st.floats(0, 1), c=st.floats(0, 1e6), k=st.floats(-5, 5))
def test_law_predicts_the_same_after_it_was_stored(roundtrip_store, t1, p, c, k):
    law = AmdahlLaw(t1, p, c, k)
    roundtrip_store.add("a", [], Learned(law, {}))
    read = roundtrip_store.experiment("a").model.law
    assert (read.p, read.c_s, read.k) == (p, c, k)
    assert read.runtime_s(3, 2.0) == pytest.approx(law.runtime_s(3, 2.0), rel=1e-9)
