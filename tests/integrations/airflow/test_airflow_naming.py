"""The experiment that a stage's runs belong to."""

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.integrations.airflow.limits import Limit
from arbo_bo.integrations.airflow.plan import Request, advise, keys
from arbo_bo.integrations.airflow.spec import StageSpec, experiment_name


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as opened:
        yield opened


def plan(arbo, dag_id, stage="transform", run="r", experiment=None, attempt=1, **settings):
    settings = {"parallelism": [1, 2, 4], "default_parallelism": 2} | settings
    spec = StageSpec(stage, experiment, "chunks", settings)
    idempotency_key, run_key = keys(dag_id, run, stage, attempt)
    request = Request(spec, lambda: None, Limit(), idempotency_key, run_key, dag_id)
    (advice,) = advise(lambda: arbo, [request], lambda dag_id, run_id: False)
    return advice


def record(arbo, advice):
    arbo.complete_trial(advice.experiment, advice.trial_index, execution_time_s=9.0)


def names(arbo):
    return [experiment.name for experiment in arbo.experiments()]


@pytest.fixture
def older(arbo):
    """A run of DAG sales under the stage's name alone, as arbo named experiments before."""
    advice = plan(arbo, "sales", run="before", experiment="transform")
    record(arbo, advice)
    return advice


def test_experiments_are_apart_when_two_dags_have_a_stage_of_one_name(arbo):
    plan(arbo, "sales")
    plan(arbo, "clicks", parallelism=[2, 3], default_parallelism=3)
    assert names(arbo) == ["clicks.transform", "sales.transform"]
    assert arbo.experiment("sales.transform").search_space.degrees == (1, 2, 4)


def test_experiments_are_apart_when_the_dots_of_names_could_be_taken_for_each_other():
    assert experiment_name("a.b", "c") != experiment_name("a", "b.c")


def test_default_names_the_experiment_when_the_store_is_down():
    def refuse():
        raise OSError("no route to host")

    idempotency_key, run_key = keys("d", "r", "s", 1)
    request = Request(StageSpec("s", None, ""), None, Limit(), idempotency_key, run_key, "d")
    (advice,) = advise(refuse, [request], None)
    assert advice.experiment == "d.s"


def test_history_is_kept_when_it_is_this_dags_alone(arbo, older, caplog):
    advice = plan(arbo, "sales")
    assert names(arbo) == ["sales.transform"]
    assert (advice.experiment, advice.trial_index) == ("sales.transform", 1)
    assert "'transform' is called 'sales.transform' from now on, with all its runs" in caplog.text


def test_attached_runs_go_with_a_dags_history(arbo, older):
    arbo.attach_trial("transform", parallelism=4, execution_time_s=3.0)
    plan(arbo, "sales")
    assert len(arbo.trials("sales.transform")) == 3


def test_history_stays_where_it_is_while_a_run_of_it_is_under_way(arbo, older, caplog):
    running = plan(arbo, "sales", run="now", experiment="transform")
    assert plan(arbo, "sales").experiment == "transform"
    assert "once none of its runs is under way; now: trial 1 of 'transform'" in caplog.text
    record(arbo, running)
    arbo.mark_trial_failed("transform", 2)
    assert plan(arbo, "sales", run="next").experiment == "sales.transform"


def test_history_is_kept_when_the_same_plan_is_tried_again(arbo, older):
    plan(arbo, "sales", run="now", experiment="transform")
    assert plan(arbo, "sales", run="now", attempt=2).experiment == "sales.transform"
    statuses = [trial.status for trial in arbo.trials("sales.transform")]
    assert statuses == ["COMPLETED", "ABANDONED", "RUNNING"]


@pytest.mark.parametrize(
    ("other", "whose"),
    [
        ("clicks", "of stage transform of DAG clicks, transform of DAG sales"),
        (None, "of stage transform of DAG sales"),
    ],
)
def test_log_says_how_to_keep_history_when_it_is_not_this_dags_alone(
    arbo, older, caplog, other, whose
):
    if other:
        record(arbo, plan(arbo, other, experiment="transform"))
    advice = plan(arbo, "clicks")
    assert (advice.experiment, advice.trial_index) == ("clicks.transform", 0)
    assert "transform" in names(arbo)
    assert whose in caplog.text
    assert "give experiment='transform'" in caplog.text
    assert "arbo rename transform clicks.transform" in caplog.text


def test_nothing_is_taken_over_when_another_stage_of_the_dag_shares_it(arbo, older, caplog):
    record(arbo, plan(arbo, "sales", stage="load", experiment="transform"))
    assert plan(arbo, "sales").experiment == "sales.transform"
    assert "of stage load of DAG sales, transform of DAG sales" in caplog.text
    assert len(arbo.trials("transform")) == 2


def test_nothing_is_taken_over_when_the_task_was_never_a_dags(arbo, caplog):
    arbo.attach_trial("transform", parallelism=4, execution_time_s=3.0)
    assert plan(arbo, "sales").experiment == "sales.transform"
    assert "with runs of no DAG" in caplog.text
    assert "transform" in names(arbo)


def test_nothing_is_renamed_when_the_stage_names_its_experiment(arbo, older):
    assert plan(arbo, "sales", experiment="transform").experiment == "transform"


def test_sibling_is_found_when_it_is_named_by_its_stage(arbo):
    plan(arbo, "sales", stage="extract")
    plan(arbo, "sales", like="extract")
    assert arbo.experiment("sales.transform").strategy.like == "sales.extract"


def test_warning_is_logged_when_two_dags_configure_one_experiment_differently(arbo, caplog):
    plan(arbo, "sales", experiment="shared")
    plan(arbo, "clicks", experiment="shared", parallelism=[1, 2, 8])
    assert "parallelism stays 1, 2, 4, though stage transform of DAG clicks asks" in caplog.text
    assert "stage transform of DAG sales asks for that" in caplog.text


def test_plan_keeps_what_a_person_narrowed(arbo, caplog):
    record(arbo, plan(arbo, "sales", parallelism=(1, 32)))
    arbo.configure_experiment("sales.transform", parallelism=[1, 2])
    plan(arbo, "sales", run="next", parallelism=(1, 32))
    assert arbo.experiment("sales.transform").search_space.degrees == (1, 2)
    assert "it was configured otherwise since" in caplog.text
