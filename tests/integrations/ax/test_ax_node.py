"""Arbo's strategy in Ax's client."""

import pytest
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.exceptions.core import UserInputError
from ax.generation_strategy.generation_strategy import GenerationStrategy

from arbo_bo import AmdahlLaw, ArboOptimizer, Objective
from arbo_bo.integrations.ax import ArboGenerationNode

LAW = AmdahlLaw(100.0, 0.9, 2.0)
CONTEXT = {"input_size": 1.0, "cluster_load": 0.0}


@pytest.fixture
def client():
    """Ax's client with arbo's node, 1 to 16 workers and a context."""
    made = Client(random_seed=0)
    made.configure_experiment(
        parameters=[
            ChoiceParameterConfig(
                name="parallelism",
                values=list(range(1, 17)),
                parameter_type="int",
                is_ordered=True,
            ),
            RangeParameterConfig(name="input_size", bounds=(0.1, 10), parameter_type="float"),
            RangeParameterConfig(name="cluster_load", bounds=(0, 64), parameter_type="float"),
        ]
    )
    made.configure_optimization(objective="-execution_time_s")
    node = ArboGenerationNode(Objective(1.0), default_parallelism=4)
    made.set_generation_strategy(GenerationStrategy(nodes=[node]))
    return made


def run(client, **context):
    ((index, parameters),) = client.get_next_trials(
        1, fixed_parameters={**CONTEXT, **context}
    ).items()
    time_s = LAW.runtime_s(parameters["parallelism"], parameters["input_size"])
    client.complete_trial(index, raw_data={"execution_time_s": time_s})
    return parameters


def test_degrees_are_those_that_arbo_itself_chooses(client):
    with ArboOptimizer("sqlite://") as arbo:
        arbo.configure_experiment("t", parallelism=(1, 16), default_parallelism=4)
        for number in range(6):
            size = 1.0 + number % 2
            decision = arbo.suggest("t", input_size=size, cluster_load=0.0)
            time_s = LAW.runtime_s(decision.parallelism, size)
            arbo.complete_trial("t", decision.trial_index, execution_time_s=time_s)
            assert run(client, input_size=size)["parallelism"] == decision.parallelism


def test_context_is_passed_on(client):
    parameters = run(client, input_size=2.0, cluster_load=7.0)
    assert (parameters["input_size"], parameters["cluster_load"]) == (2.0, 7.0)


def test_trials_asked_for_at_once_know_of_each_other(client):
    trials = client.get_next_trials(2, fixed_parameters=CONTEXT)
    assert [p["parallelism"] for p in trials.values()] == [1, 4]


def test_failed_degree_is_not_tried_again_in_the_opening(client):
    ((index, _),) = client.get_next_trials(1, fixed_parameters=CONTEXT).items()
    client.mark_trial_failed(index)
    assert run(client)["parallelism"] == 4


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        (None, "lacks input_size, cluster_load"),
        ({"input_size": 1.0}, "lacks cluster_load"),
        ({**CONTEXT, "parallelism": 3}, "fixes 3"),
    ],
)
def test_request_is_refused_when_there_is_nothing_or_more_to_choose(client, fixed, message):
    with pytest.raises(UserInputError, match=message):
        client.get_next_trials(1, fixed_parameters=fixed)
