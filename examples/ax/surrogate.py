"""Amdahl's law as the surrogate of Ax's modular generator: few runs tell all degrees."""

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.generation_strategy.generation_node import GenerationNode
from ax.generation_strategy.generation_strategy import GenerationStrategy

from arbo_bo import AmdahlLaw
from arbo_bo.integrations.ax import amdahl_generator_spec

JOB = AmdahlLaw(t1_s=240.0, p=0.95, c_s=4.0)
RUNS = [(1, 2.0), (2, 1.0), (4, 1.0), (8, 1.0)]


def main() -> tuple[AmdahlLaw, dict[int, float]]:
    """Tells Ax four runs; returns the law that it learned, and predicted times by degree."""
    client = Client(random_seed=0)
    client.configure_experiment(
        name="nightly",
        parameters=[  # in the order that the law reads them: s, gamma, L
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
    node = GenerationNode(name="amdahl", generator_specs=[amdahl_generator_spec()])
    client.set_generation_strategy(GenerationStrategy(nodes=[node]))

    for degree, size in RUNS:
        parameters = {"parallelism": degree, "input_size": size, "cluster_load": 0.0}
        index = client.attach_trial(parameters)
        time_s = JOB.runtime_s(degree, gamma=size)
        client.complete_trial(index, raw_data={"execution_time_s": time_s})
    context = {"input_size": 1.0, "cluster_load": 0.0}
    client.get_next_trials(1, fixed_parameters=context)
    degrees = [1, 4, 16]
    predictions = client.predict([{"parallelism": s, **context} for s in degrees])
    times = {
        s: float(prediction["execution_time_s"][0])
        for s, prediction in zip(degrees, predictions, strict=True)
    }
    return node._fitted_adapter.generator.surrogate.model.law, times


if __name__ == "__main__":
    law, times = main()
    print(law)
    for degree, time_s in times.items():
        print(
            f"{degree:2d} workers: expected {time_s:6.1f} s, truly {JOB.runtime_s(degree):6.1f} s"
        )
