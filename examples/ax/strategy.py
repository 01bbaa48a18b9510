"""Ax keeps the experiment, arbo chooses the parallelism; the context is fixed at each request."""

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.generation_strategy.generation_strategy import GenerationStrategy

from arbo_bo import AmdahlLaw, Objective
from arbo_bo.integrations.ax import ArboGenerationNode

JOB = AmdahlLaw(t1_s=240.0, p=0.95, c_s=4.0)
RUNS = 6


def main() -> dict[int, dict[str, float]]:
    """Runs a job that is a formula; returns the parameters of each run."""
    client = Client(random_seed=0)
    client.configure_experiment(
        name="nightly",
        parameters=[
            ChoiceParameterConfig(
                name="parallelism",
                values=list(range(1, 17)),
                parameter_type="int",
                is_ordered=True,
            ),
            RangeParameterConfig(name="input_size", bounds=(0.1, 10), parameter_type="float"),
            RangeParameterConfig(name="cluster_load", bounds=(0, 100), parameter_type="float"),
        ],
    )
    client.configure_optimization(objective="-execution_time_s")
    node = ArboGenerationNode(Objective(cost_exponent=0.5), default_parallelism=4)
    client.set_generation_strategy(GenerationStrategy(nodes=[node]))

    runs = {}
    for number in range(RUNS):
        context = {"input_size": 1.0 + number % 2, "cluster_load": 3.0}
        trials = client.get_next_trials(1, fixed_parameters=context)
        for index, parameters in trials.items():
            time_s = JOB.runtime_s(parameters["parallelism"], gamma=parameters["input_size"])
            client.complete_trial(index, raw_data={"execution_time_s": time_s})
            runs[index] = {**parameters, "execution_time_s": time_s}
    return runs


if __name__ == "__main__":
    for index, run in main().items():
        print(f"trial {index}: {run['parallelism']:2d} workers, {run['execution_time_s']:6.1f} s")
