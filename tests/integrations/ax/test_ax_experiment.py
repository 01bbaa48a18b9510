"""An arbo experiment in Ax, and back."""

from dataclasses import replace

import pytest
from ax.analysis.plotly.parallel_coordinates import ParallelCoordinatesPlot
from ax.analysis.plotly.scatter import ScatterPlot
from ax.analysis.summary import Summary
from ax.core import (
    Arm,
    ChoiceParameter,
    Data,
    Experiment,
    FixedParameter,
    ParameterType,
    RangeParameter,
    SearchSpace,
)
from ax.core.trial_status import TrialStatus

from arbo_bo import AmdahlLaw, ArboOptimizer, Objective
from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError
from arbo_bo.experiment.slo import MaxCost, MaxExecutionTime
from arbo_bo.integrations.ax import from_ax, to_ax_experiment
from arbo_bo.integrations.ax.names import AxNames

LAW = AmdahlLaw(100.0, 0.9, 2.0)


@pytest.fixture
def arbo():
    with ArboOptimizer("sqlite://") as optimizer:
        yield optimizer


@pytest.fixture
def filled(arbo):
    """Five completed trials of two sizes, an excluded, a failed, an abandoned and a running one."""
    objective = Objective(urgency=2, price_per_worker_hour=0.1)
    arbo.configure_experiment("t", parallelism=[1, 2, 4, 8], objective=objective, window=9)
    for number in range(5):
        size = 10.0 * (1 + number % 2)
        decision = arbo.suggest("t", input_size=size, cluster_load=float(number))
        time_s = LAW.runtime_s(decision.parallelism, size / 10)
        arbo.complete_trial("t", decision.trial_index, execution_time_s=time_s)
    arbo.suggest("t")
    arbo.complete_trial("t", 5, execution_time_s=9e9, exclusion_reason="the disk was full")
    arbo.suggest("t")
    arbo.mark_trial_failed("t", 6, reason="OOM")
    arbo.suggest("t")
    arbo.mark_trial_abandoned("t", 7, reason="restarted")
    arbo.suggest("t")
    return arbo


def test_search_space_and_objective_are_the_tasks(filled):
    experiment = to_ax_experiment(filled, "t")
    (parameter,) = experiment.search_space.parameters.values()
    assert isinstance(parameter, ChoiceParameter)
    assert (parameter.values, parameter.is_ordered, parameter.parameter_type) == (
        [1, 2, 4, 8], True, ParameterType.INT)  # fmt: skip
    assert experiment.optimization_config.objective.expression == "-score"
    assert experiment.name == "t"


def test_service_levels_are_outcome_constraints(arbo):
    levels = [MaxExecutionTime(60.0), MaxCost(1.5, price_per_worker_hour=0.2)]
    arbo.configure_experiment("t", slo=levels)
    arbo.attach_trial("t", parallelism=2, execution_time_s=90.0)
    experiment = to_ax_experiment(arbo, "t")
    assert [c.expression for c in experiment.optimization_config.outcome_constraints] == [
        "execution_time_s <= 60.0",
        "cost <= 1.5",
    ]
    frame = experiment.lookup_data().df
    assert frame[frame["metric_name"] == "cost"]["mean"].tolist() == [90.0 * 2 * 0.2 / 3600]
    with ArboOptimizer("sqlite://") as other:
        from_ax(experiment, other)
        assert other.experiment("t").strategy == arbo.experiment("t").strategy


def test_trials_have_status_arm_times_and_reason(filled):
    experiment, trials = to_ax_experiment(filled, "t"), filled.trials("t")
    assert {i: t.status.name for i, t in experiment.trials.items()} == {
        t.trial_index: t.status for t in trials
    }
    assert [t.arm.parameters["parallelism"] for t in experiment.trials.values()] == [
        t.parallelism for t in trials
    ]
    assert experiment.trials[6].status_reason == "OOM"
    assert experiment.trials_by_status[TrialStatus.RUNNING] == [experiment.trials[8]]
    started = experiment.trials[0].time_run_started.astimezone()
    assert started == trials[0].started_at


def test_same_degree_is_the_same_arm(filled):
    experiment = to_ax_experiment(filled, "t")
    degrees = {t.parallelism for t in filled.trials("t")}
    assert len(experiment.arms_by_name) == len(degrees) < len(experiment.trials)


def test_data_is_that_of_the_runs_that_train(filled):
    frame = to_ax_experiment(filled, "t").lookup_data().df
    times = frame[frame["metric_name"] == "execution_time_s"]
    expected = [t for t in filled.trials("t") if t.trains]
    assert times["mean"].tolist() == [t.execution_time_s for t in expected]
    assert times["sem"].isna().all()
    scores = frame[frame["metric_name"] == "score"]["mean"].tolist()
    objective = filled.experiment("t").objective
    assert scores == [objective.score(t.execution_time_s, t.parallelism) for t in expected]
    costs = frame[frame["metric_name"] == "cost"]["mean"].tolist()
    assert costs == pytest.approx(
        [t.execution_time_s * t.parallelism * 0.1 / 3600 for t in expected]
    )
    assert [moment.timestamp() for moment in times["end_time"].dt.tz_localize("UTC")] == (
        pytest.approx([t.finished_at.timestamp() for t in expected])
    )


def test_contexts_are_parameters_when_asked_for(filled):
    experiment = to_ax_experiment(filled, "t", contexts=True)
    size, load = list(experiment.search_space.parameters.values())[1:]
    assert (size.name, size.lower, size.upper) == ("input_size", 5.0, 40.0)
    assert (load.name, load.lower) == ("cluster_load", 0.0)
    assert experiment.trials[1].arm.parameters["input_size"] == 20.0
    assert experiment.trials[5].arm.parameters["input_size"] == 10.0  # unknown: the base size


def test_window_takes_the_newest(filled):
    assert list(to_ax_experiment(filled, "t", window=2).trials) == [7, 8]


@pytest.mark.parametrize("parallelism", [[3], [1, 7], (1, 2000)])
def test_task_without_trials_is_an_experiment_too(arbo, parallelism):
    arbo.configure_experiment("t", parallelism=parallelism)
    experiment = to_ax_experiment(arbo, "t", contexts=True)
    assert experiment.trials == {}
    assert experiment.lookup_data().df.empty


def test_request_is_refused_when_it_makes_no_sense(arbo):
    with pytest.raises(ExperimentNotFoundError):
        to_ax_experiment(arbo, "t")
    with pytest.raises(InvalidValueError, match="window"):
        to_ax_experiment(arbo, "t", window=0)


@pytest.mark.parametrize(
    "analysis",
    [
        Summary(),
        ParallelCoordinatesPlot("score"),
        ScatterPlot("score", "execution_time_s", use_model_predictions=False),
    ],
    ids=lambda a: type(a).__name__,
)
@pytest.mark.parametrize("contexts", [False, True])
def test_axs_own_analyses_accept_it(filled, analysis, contexts):
    experiment = to_ax_experiment(filled, "t", contexts=contexts)
    card = analysis.compute(experiment=experiment)
    assert len(card.df) >= 5


def test_round_trip_keeps_every_field(filled):
    experiment = to_ax_experiment(filled, "t")
    with ArboOptimizer("sqlite://") as other:
        copied = zip(from_ax(experiment, other), filled.trials("t"), strict=True)
        assert all(copy == replace(t, trial_id=copy.trial_id) for copy, t in copied)
        before, after = filled.experiment("t"), other.experiment("t")
        assert replace(after, model=before.model) == before
        assert after.model.sample_count == before.model.sample_count
        assert after.model.base_input_size == before.model.base_input_size


def test_round_trip_goes_under_another_name(filled, arbo):
    from_ax(to_ax_experiment(filled, "t"), arbo, task="copy")
    assert [t.task for t in arbo.trials("copy")] == ["copy"] * 9


@pytest.fixture
def foreign():
    """An experiment that Ax's user made: other names, one trial without data, one stale."""
    experiment = Experiment(
        name="theirs",
        search_space=SearchSpace(
            parameters=[
                RangeParameter("workers", ParameterType.INT, lower=1, upper=12),
                RangeParameter("gigabytes", ParameterType.FLOAT, lower=0, upper=9),
            ]
        ),
    )
    for degree in (1, 4, 8, 12):
        experiment.new_trial().add_arm(Arm({"workers": degree, "gigabytes": 2.5})).mark_running(
            no_runner_required=True
        )
    for index in (0, 1, 2):
        experiment.trials[index].mark_completed()
    experiment.new_trial().add_arm(Arm({"workers": 2, "gigabytes": 1.0})).mark_stale()
    rows = [
        {"trial_index": i, "arm_name": f"{i}_0", "metric_name": "seconds", "mean": time,
         "sem": 0.1, "metric_signature": "seconds"}
        for i, time in enumerate([100.0, 30.0])
    ]  # fmt: skip
    import pandas as pd

    experiment.attach_data(Data(df=pd.DataFrame(rows)))
    return experiment


def test_experiment_of_others_is_attached(foreign, arbo):
    names = AxNames(parallelism="workers", input_size="gigabytes", execution_time="seconds")
    trials = from_ax(foreign, arbo, names=names)
    assert [(t.parallelism, t.status, t.execution_time_s) for t in trials] == [
        (1, "COMPLETED", 100.0),
        (4, "COMPLETED", 30.0),
        (8, "ABANDONED", None),
        (12, "RUNNING", None),
        (2, "ABANDONED", None),
    ]
    assert trials[0].input_size == 2.5
    assert trials[2].failure_reason == "completed in Ax without an execution time"
    assert arbo.experiment("theirs").search_space.degrees == tuple(range(1, 13))


def test_experiment_is_refused_and_nothing_added_when_it_has_no_degrees(foreign, arbo):
    with pytest.raises(InvalidValueError, match="integer parameter 'parallelism'"):
        from_ax(foreign, arbo)
    assert arbo.experiments() == []


def test_one_fixed_degree_is_a_search_space(arbo):
    fixed = FixedParameter("parallelism", ParameterType.INT, 3)
    experiment = Experiment(name="t", search_space=SearchSpace(parameters=[fixed]))
    assert from_ax(experiment, arbo) == []
    assert arbo.experiment("t").search_space.degrees == (3,)
