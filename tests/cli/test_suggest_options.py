"""The options of a suggestion are kept with its trial, or not at all."""

import json

import pytest

from arbo_bo import ArboOptimizer, Objective
from arbo_bo.cli import main
from arbo_bo.errors import StoreError
from arbo_bo.experiment import Arm, Context, Experiment, Phase, SearchSpace, Trial, TrialStatus
from arbo_bo.storage import SQLTrialStore
from arbo_bo.storage.deferred import DeferringTrialStore

OPTIONS = ("--parallelism", "2:9", "--pin", "3")


@pytest.fixture
def suggest(store_url):
    return lambda *options: main(["suggest", "t", *options, "--store", store_url])


def test_options_are_stored_with_the_trial_of_a_new_task(suggest, store_url, capsys):
    assert suggest(*OPTIONS, "--json") == 0
    assert json.loads(capsys.readouterr().out)["parallelism"] == 3
    stored = ArboOptimizer(store_url).experiment("t")
    assert (stored.search_space.degrees[0], stored.strategy.pin) == (2, 3)


def test_options_change_a_task_that_is_there(suggest, store_url):
    assert suggest("--urgency", "2", "--parallelism", "1:8") == 0
    assert suggest("--pin", "3", "--dry-run") == 0
    stored = ArboOptimizer(store_url).experiment("t")
    assert (stored.objective.urgency, stored.strategy.pin, stored.strategy.dry_run) == (2, 3, True)
    assert [t.parallelism for t in ArboOptimizer(store_url).trials("t")] == [1, 3]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--max-parallelism", "1"),
        ("--cluster-load", "-1"),
        ("--input-size", "-5"),
        ("--idempotency-key", ""),
    ],
)
def test_task_stays_as_it_was_when_the_suggestion_fails(suggest, store_url, wrong):
    assert suggest(*OPTIONS, *wrong) == 1
    with ArboOptimizer(store_url) as arbo:
        assert arbo.experiments() == []
        before = arbo.configure_experiment("t")
        assert suggest(*OPTIONS, *wrong) == 1
        assert arbo.experiments() == [before]


def test_task_stays_as_it_was_when_the_database_refuses_the_trial(store_url):
    before = ArboOptimizer(store_url).configure_experiment("t")
    bad = Trial("t", 0, TrialStatus.RUNNING, Arm(4), Context(), Phase.PROBE)
    object.__setattr__(bad.arm, "parallelism", 0)  # past the check, so that the database looks
    with SQLTrialStore(store_url) as store:
        with pytest.raises(StoreError, match="parallelism"):
            store.start("t", bad, change=lambda _: Experiment("t", window=3))
        assert store.experiment("t") == before


def test_decision_is_taken_anew_when_the_task_appears_meanwhile(store_url):
    with DeferringTrialStore(store_url) as store:
        wide = SearchSpace.between(2, 9)
        store.configure("t", lambda e: (e or Experiment("t")).changed({"search_space": wide}))
        situation, read = store.situation, []

        def overtaken(name, key=None):
            found = situation(name, key)
            if not read:
                ArboOptimizer(store_url).configure_experiment("t", window=7)
            read.append(found.experiment.window)
            return found

        store.situation = overtaken
        assert ArboOptimizer(store).suggest("t").parallelism == 2
        assert read == [50, 7]
        stored = ArboOptimizer(store_url).experiment("t")
        assert (stored.window, stored.search_space) == (7, wide)


def test_nothing_changes_when_the_trial_of_a_key_is_there_already(suggest, store_url, capsys):
    assert suggest("--idempotency-key", "k", "--parallelism", "1:8") == 0
    capsys.readouterr()
    assert suggest("--idempotency-key", "k", "--pin", "3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["parallelism"] == 1
    assert ArboOptimizer(store_url).experiment("t").strategy.pin is None


def test_decision_is_taken_anew_when_the_task_is_deleted_meanwhile(store_url):
    arbo = ArboOptimizer(store_url)
    for s, time in ((1, 100.0), (2, 52.0), (4, 28.0)):
        arbo.attach_trial("t", parallelism=s, execution_time_s=time)
    with DeferringTrialStore(store_url) as store:
        store.configure("t", lambda e: (e or Experiment("t")).changed({"window": 9}))
        situation, read = store.situation, []

        def overtaken(name, key=None):
            found = situation(name, key)
            if not read:
                arbo.delete_experiment("t")
            read.append(found.experiment.model.sample_count)
            return found

        store.situation = overtaken
        assert ArboOptimizer(store).suggest("t").phase is Phase.BASELINE
        assert read == [3, 0]


def test_configuration_stays_when_the_key_of_another_process_is_there(store_url):
    with DeferringTrialStore(store_url) as store:
        ArboOptimizer(store_url).suggest("t", idempotency_key="k")
        kept = Trial(
            "t", 0, TrialStatus.RUNNING, Arm(4), Context(), Phase.PROBE, idempotency_key="k"
        )
        change = lambda e: e.changed({"window": 13})  # noqa: E731
        _, is_new = store.start("t", kept, decided_at=None, change=change)
        assert not is_new
        assert store.experiment("t").window == 50


def test_what_a_person_narrowed_stays_when_a_script_asks_again(suggest, store_url, capsys):
    assert suggest("--parallelism", "1:8", "--urgency", "2") == 0
    with ArboOptimizer(store_url) as arbo:
        arbo.configure_experiment("t", parallelism=[1, 2], objective=Objective(3.0))
        assert suggest("--parallelism", "1:8", "--urgency", "2") == 0
        experiment = arbo.experiment("t")
    assert experiment.search_space.degrees == (1, 2)
    assert experiment.objective.urgency == 3
    assert "parallelism stays 1, 2, though arbo suggest asks for 1 to 8" in capsys.readouterr().err


def test_default_gives_way_to_the_allowed_degrees(suggest, store_url, capsys):
    assert suggest("--parallelism", "2,4", "--default", "9") == 0
    assert "the default is 4, not 9: allowed are 2, 4" in capsys.readouterr().err
    with ArboOptimizer(store_url) as arbo:
        assert arbo.experiment("t").default_parallelism == 4


def test_name_close_to_a_known_one_is_asked_about(suggest, store_url, capsys):
    with ArboOptimizer(store_url) as arbo:
        arbo.configure_experiment("nightly_load")
    main(["suggest", "nightly_laod", "--parallelism", "1:4", "--store", store_url])
    assert "there is a task 'nightly_load', if that was meant" in capsys.readouterr().err
