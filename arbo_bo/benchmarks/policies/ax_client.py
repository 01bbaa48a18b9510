"""Ax's client with its own defaults."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from arbo_bo.benchmarks.policies.history import MISS_PENALTY, RememberingPolicy, Run
from arbo_bo.benchmarks.policies.peers import seeded_torch, silent_logs
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import Context, SearchSpace

if TYPE_CHECKING:
    from ax.api.client import Client

DEGREE, SIZE, LOAD, SCORE = "parallelism", "input_size", "cluster_load", "score"

Bounds = Mapping[str, tuple[float, float]]


class AxPolicy(RememberingPolicy):
    """`ax.api.client.Client` with its default generation strategy, minimising the score.

    The degree is an ordered choice. Where a run doesn't allow what Ax proposes, it takes the
    nearest degree that it allows. Ax repeats no arm of a discrete space; asked once each was tried,
    it raises, or its Sobol sampler draws ten thousand times first, for half a minute. So from then
    on the degree of the best mean score at that context is taken, as its user would. (A continuous
    degree that is rounded never runs out; it chose better on one of four measured sets and worse or
    no better on the others, and took several times as long.)

    Input size and cluster load join the parameters once they vary, and are fixed at a run's own
    values when it asks. Ax wants the bounds of a parameter in advance, and nobody knows the sizes
    to come: the bounds are those seen, and a run beyond them sets the experiment up anew with every
    run attached. Runs that Ax did not choose, such as the first two, are attached; they count as
    its initialization, which is its default.

    With a deadline the score of a run that missed it counts ten times.

    Source: https://ax.dev, `ax-platform`.

    Args:
        setting: What is known of the task.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._client: Client | None = None
        self._bounds: Bounds = {}
        self._told = 0
        self._asked: tuple[int, int] | None = None

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The degree of Ax's next trial at this run's context."""
        with silent_logs(), seeded_torch(self.setting.seed + len(self.runs)):
            from ax.exceptions.core import SearchSpaceExhausted

            client = self._current_client(context)
            tried = self._scores_at(context, degrees)
            if len(tried) == len(degrees):
                return _lowest_mean(tried)
            try:
                trials = client.get_next_trials(1, fixed_parameters=self._fixed(context) or None)
            except SearchSpaceExhausted:
                return _lowest_mean(tried) if tried else degrees[0]
        ((index, parameters),) = trials.items()
        proposed = int(parameters[DEGREE])
        self._asked = index, proposed
        return SearchSpace(tuple(degrees)).nearest(proposed)

    def _scores_at(self, context: Context, degrees: Sequence[int]) -> dict[int, list[float]]:
        """Allowed degree -> the scores of its runs in this context."""
        fixed = self._fixed(context)
        scores: dict[int, list[float]] = {}
        for run in self.runs:
            if run.parallelism in degrees and self._fixed(run.context) == fixed:
                scores.setdefault(run.parallelism, []).append(self._value(run))
        return scores

    def _current_client(self, context: Context) -> "Client":
        """The client with every run in it, set up anew where the context demands it."""
        bounds = self._seen(context)
        if self._client is None or bounds != self._bounds:
            self._client, self._bounds = self._new_client(bounds), bounds
            self._told, self._asked = 0, None
        for run in self.runs[self._told :]:
            self._report(self._client, run)
        self._told = len(self.runs)
        return self._client

    def _report(self, client: "Client", run: Run) -> None:
        """Completes the trial that Ax asked for, or attaches what was run instead."""
        asked, self._asked = self._asked, None
        if asked is not None and asked[1] == run.parallelism:
            index = asked[0]
        else:
            if asked is not None:
                client.mark_trial_abandoned(asked[0])
            index = client.attach_trial({DEGREE: run.parallelism, **self._fixed(run.context)})
        client.complete_trial(index, raw_data={SCORE: self._value(run)})

    def _value(self, run: Run) -> float:
        return self.score(run) * (MISS_PENALTY if self.missed(run) else 1.0)

    def _new_client(self, bounds: Bounds) -> "Client":
        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        degree = ChoiceParameterConfig(
            name=DEGREE,
            values=list(self.setting.space.degrees),
            parameter_type="int",
            is_ordered=True,
        )
        contexts = [
            RangeParameterConfig(name=name, bounds=limits, parameter_type="float")
            for name, limits in bounds.items()
        ]
        client = Client(random_seed=self.setting.seed)
        client.configure_experiment(parameters=[degree, *contexts])
        client.configure_optimization(objective=f"-{SCORE}")
        return client

    def _seen(self, context: Context) -> Bounds:
        """The bounds of what varies, this run's context included."""
        contexts = [*(run.context for run in self.runs), context]
        values = {
            SIZE: [self.gamma(c) for c in contexts],
            LOAD: [self.load(c) for c in contexts],
        }
        return {name: (min(v), max(v)) for name, v in values.items() if min(v) < max(v)}

    def _fixed(self, context: Context) -> dict[str, float]:
        """The context's values of the parameters that it fixes."""
        values = {SIZE: self.gamma(context), LOAD: self.load(context)}
        return {name: values[name] for name in self._bounds}


def _lowest_mean(scores: Mapping[int, Sequence[float]]) -> int:
    return min(scores, key=lambda s: (fmean(scores[s]), s))
