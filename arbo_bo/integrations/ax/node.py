"""Arbo's strategy as a node of an Ax generation strategy."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ax.core import Data, Experiment, FixedParameter
from ax.core.generator_run import GeneratorRun
from ax.core.observation import ObservationFeatures
from ax.core.types import TParameterization
from ax.exceptions.core import UserInputError
from ax.generation_strategy.external_generation_node import ExternalGenerationNode

from arbo_bo import experiment as arbo
from arbo_bo.integrations.ax.names import DEFAULT_NAMES, AxNames
from arbo_bo.integrations.ax.reading import arbo_trials, search_space_of

logger = logging.getLogger("arbo_bo")


class ArboGenerationNode(ExternalGenerationNode):
    """Chooses the parallelism as arbo does; the context comes as ``fixed_parameters``.

    Ax keeps the experiment. The first runs are the baseline and the probe, the others minimise the
    expected cost. The metric of wall times must be reported for each trial; whether it is Ax's
    objective as well makes no difference to what arbo chooses.

    Args:
        objective: What is minimised; None: T sqrt(s).
        names: What parameters and metric are called.
        name: The node's name.
        settings: Others of `arbo_bo.experiment.Experiment`: default_parallelism, window, baseline,
            residual and so on.

    Raises:
        InvalidValueError: A setting is outside its domain.
    """

    def __init__(
        self,
        objective: arbo.Objective | None = None,
        *,
        names: AxNames = DEFAULT_NAMES,
        name: str = "arbo",
        **settings: Any,
    ) -> None:
        # A degree is repeated on purpose: what is best stays best.
        super().__init__(name=name, should_deduplicate=False)
        self.names = names
        self._task = arbo.Experiment(name, objective=objective or arbo.Objective(), **settings)
        self._trials: list[arbo.Trial] = []
        self._fixed: dict[str, Any] = {}
        self._experiment: Experiment | None = None

    def update_generator_state(self, experiment: Experiment, data: Data) -> None:
        """Takes over the experiment's degrees and trials."""
        self._experiment = experiment
        self._trials = arbo_trials(experiment, data, self._task.name, self.names)
        sizes = (t.input_size for t in self._trials if t.trains)
        model = replace(
            self._task.model,
            base_input_size=next((size for size in sizes if size is not None), None),
            sample_count=sum(t.trains for t in self._trials),
        )
        space = search_space_of(experiment, self.names)
        self._task = replace(self._task, search_space=space, model=model)

    def get_next_candidate(self, pending_parameters: list[TParameterization]) -> TParameterization:
        """The degree for the next run, and the parameters that are fixed.

        Args:
            pending_parameters: Those of runs that are under way; the experiment says the same.

        Raises:
            UserInputError: A parameter besides the parallelism is neither fixed nor given.
        """
        from arbo_bo.generation import generate

        parameters = self._given()
        context = arbo.Context(
            parameters.get(self.names.input_size), parameters.get(self.names.cluster_load)
        )
        generated = generate(self._task, self._trials, context)
        if generated.learned is not None:
            learned = replace(
                self._task.model,
                law=generated.learned.law,
                hyperparameters=generated.learned.hyperparameters,
            )
            self._task = replace(self._task, model=learned)
        decision = generated.decision
        logger.info("%s: %s", self._task.name, decision.reason)
        self._trials = [*self._trials, self._pending(decision, context)]
        return {self.names.parallelism: decision.parallelism, **parameters}

    def _gen(  # type: ignore[override]  # as ExternalGenerationNode itself has it
        self,
        experiment: Experiment,
        data: Data | None = None,
        n: int | None = None,
        pending_observations: dict[str, list[ObservationFeatures]] | None = None,
        **generator_gen_kwargs: Any,
    ) -> GeneratorRun:
        """Keeps the fixed parameters, which `get_next_candidate` is not told."""
        features = generator_gen_kwargs.get("fixed_features")
        self._fixed = {} if features is None else dict(features.parameters)
        return super()._gen(
            experiment=experiment,
            data=data,
            n=n,
            pending_observations=pending_observations,
            **generator_gen_kwargs,
        )

    def _given(self) -> dict[str, Any]:
        """Every parameter but the parallelism, which is arbo's to choose."""
        assert self._experiment is not None
        known: Mapping[str, Any] = self._experiment.search_space.parameters
        constant = {n: p.value for n, p in known.items() if isinstance(p, FixedParameter)}
        given = {**constant, **self._fixed}
        chosen = given.pop(self.names.parallelism, None)
        missing = [n for n in known if n not in given and n != self.names.parallelism]
        if missing or (chosen is not None and self.names.parallelism in self._fixed):
            problem = f"lacks {', '.join(missing)}" if missing else f"fixes {chosen!r} for it"
            raise UserInputError(
                f"arbo chooses {self.names.parallelism} and nothing else: give the others, such as "
                "the context, as fixed_parameters of get_next_trials; this call " + problem
            )
        return given

    def _pending(self, decision: arbo.Decision, context: arbo.Context) -> arbo.Trial:
        return arbo.Trial(
            task=self._task.name,
            trial_index=len(self._trials),
            status=arbo.TrialStatus.RUNNING,
            arm=arbo.Arm(decision.parallelism),
            context=context,
            phase=decision.phase,
        )
