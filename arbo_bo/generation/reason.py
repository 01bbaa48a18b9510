"""One sentence that a person understands."""

from collections.abc import Sequence

from arbo_bo._format import format_probability, format_time
from arbo_bo.experiment import Arm, Candidate, Experiment, Phase
from arbo_bo.experiment.acquisitions import phrase_of
from arbo_bo.experiment.arm import short_name
from arbo_bo.experiment.decision import worse_by
from arbo_bo.experiment.slo import cost_objective
from arbo_bo.generation.choice import Choice
from arbo_bo.generation.outcomes import FailureEvidence

UNSURE = 0.05
"""A hypothesis less likely than this, or more than 1 less this, is not worth a clause."""


def opening_reason(
    experiment: Experiment, arm: Arm, phase: Phase, failures: FailureEvidence | None = None
) -> str:
    """Why an opening run has its degree."""
    if phase is Phase.FIXED:
        return fixed_reason(experiment, arm, None)
    if failures is not None and phase is Phase.PROBE:
        return _after_failures(experiment, failures, arm)
    return _opening(experiment, arm, phase)


def _after_failures(experiment: Experiment, failures: FailureEvidence, arm: Arm) -> str:
    cause = failures.cause()
    why = f"runs have failed ({cause})" if cause else "runs have failed"
    if arm == experiment.probe_arm and failures.of_arm(arm)[0]:
        return f"{arm}: the default degree, since {why} at every degree that was tried."
    return f"{arm}: {why}, and this degree is likely enough to succeed."


def _opening(experiment: Experiment, arm: Arm, phase: Phase) -> str:
    if phase is Phase.BASELINE:
        return (
            f"{arm}: the smallest allowed degree gives the baseline time that "
            "speed-up is measured from."
        )
    if experiment.strategy.guard is not None:
        return f"{arm}: the guard holds at the default degree while nothing is known."
    if experiment.model.hyperparameters:
        whose = (
            f"the law of {experiment.strategy.like!r}" if experiment.strategy.like else "its law"
        )
        return f"{arm}: the best degree by {whose}, while no completed run is at hand."
    if arm == experiment.probe_arm:
        return (
            f"{arm}: the default degree, run as a probe to see how the time falls "
            "with more workers."
        )
    return f"{arm}: a second degree is needed to learn how the time falls with more workers."


def fixed_reason(experiment: Experiment, arm: Arm, recommended: Arm | None) -> str:
    """Why a degree stands that the optimizer has not chosen."""
    if experiment.strategy.pin is not None:
        text = f"{arm}: pinned, arbo only observes"
        if arm.parallelism != experiment.strategy.pin:
            text += f" ({experiment.strategy.pin} is not among the degrees that it may take now)"
    else:
        text = f"{arm}: a dry run, at the default degree"
    if recommended is None:
        return f"{text}."
    return f"{text}; it would choose {short_name(recommended)}."


def optimize_reason(experiment: Experiment, choice: Choice) -> str:
    """Why the optimizer chose this degree."""
    best, candidates, strategy = choice.best, choice.candidates, experiment.strategy
    prediction = best.prediction
    if choice.failures is not None and choice.failures.falls_back_to(best.arm):
        return _hopeless(choice)
    text = f"{best.arm}: expected {format_time(prediction.mean_s)} "
    text += f"(± {format_time(prediction.std_s)})"
    if choice.held_back is not None:
        text += (
            f"; the guard holds here: {short_name(choice.held_back.arm)} would be chosen, but is "
            f"not worse than the default degree with probability {choice.guard_probability:.2f} "
            f"only, below {strategy.guard:g}"
        )
    elif strategy.slo and not best.keeps_slo:
        text += _infeasible(experiment, best, candidates)
    elif strategy.slo:
        text += _kept(experiment, best, candidates)
    elif strategy.chooser == "expected_cost":
        text += _cheapest(experiment, best, candidates)
    elif strategy.chooser == "knowledge_gradient":
        text += _gaining(experiment, best, candidates) + _doubted(choice)
    else:
        text += f"; {_why(experiment)}"
    return text + _risky(choice) + _fewest(experiment, best, candidates) + "."


def _hopeless(choice: Choice) -> str:
    assert choice.failures is not None
    cause = choice.failures.cause()
    return (
        f"{choice.best.arm}: the default degree, since runs fail at every degree "
        "lately" + (f" ({cause})" if cause else "") + "; a run that succeeds ends this."
    )


def _risky(choice: Choice) -> str:
    """Which cheaper degree is left out for its failures; or that this one is tried again."""
    failures, best, risky = choice.failures, choice.best, choice.risky
    if failures is None:
        return ""
    if risky is not None:
        return f"; {short_name(risky.arm)} would be cheaper, but is {risky.excluded}"
    if best.success_probability is not None and failures.of_arm(best.arm)[0]:
        return f"; it {failures.why(best.arm)}, and succeeds with probability " + (
            format_probability(best.success_probability)
        )
    return ""


def _cheapest(experiment: Experiment, best: Candidate, candidates: Sequence[Candidate]) -> str:
    looked_at = [c for c in candidates if c.excluded is None]
    text = f" gives the lowest {experiment.minimised} of {len(looked_at)} allowed degrees"
    rivals = [c for c in looked_at if c is not best]
    if rivals:
        rival = min(rivals, key=lambda c: c.log_score)
        text += (
            f"; next best is {short_name(rival.arm)}, {worse_by(rival.log_score - best.log_score)}"
        )
    return text


def _gaining(experiment: Experiment, best: Candidate, candidates: Sequence[Candidate]) -> str:
    cheapest = min((c for c in candidates if c.excluded is None), key=lambda c: c.log_score)
    if cheapest is best:
        return _cheapest(experiment, best, candidates)
    worse = worse_by(best.log_score - cheapest.log_score)
    at = short_name(cheapest.arm)
    return f", with {experiment.minimised} {worse} than at {at}; {_why(experiment)}"


def _doubted(choice: Choice) -> str:
    """What a run that is not the cheapest tells, where a cliff is neither sure nor ruled out."""
    cheapest = min((c for c in choice.candidates if c.excluded is None), key=lambda c: c.log_score)
    weighed = choice.weighed
    if weighed is None or weighed.doubted is None or cheapest is choice.best:
        return ""
    if not UNSURE <= weighed.cliff <= 1 - UNSURE:
        return ""
    return (
        f", and it tells whether {weighed.doubted} was slow for want of memory or the like, which "
        f"has probability {format_probability(weighed.cliff)}"
    )


def _why(experiment: Experiment) -> str:
    strategy = experiment.strategy
    slo = " and ".join(map(str, strategy.slo))
    return phrase_of(strategy.chooser).format(objective=experiment.minimised, slo=slo)


def _kept(experiment: Experiment, best: Candidate, candidates: Sequence[Candidate]) -> str:
    strategy = experiment.strategy
    slo = " and ".join(map(str, strategy.slo))
    kept = [c for c in candidates if c.keeps_slo]
    cost = cost_objective(experiment.cost_objective, strategy.slo)
    cheapest = min(
        kept, key=lambda c: cost.log_score(c.prediction.mean_s, experiment.paid_for(c.arm))
    )
    why = _why(experiment)
    if strategy.chooser == "knowledge_gradient" and best is cheapest:
        why = phrase_of("expected_cost")
    return (
        f" keeps {slo} (here {_chance(best)}); of the "
        f"{len(candidates)} allowed degrees {len(kept)} can: {why}"
    )


def _infeasible(experiment: Experiment, best: Candidate, candidates: Sequence[Candidate]) -> str:
    slo = " and ".join(map(str, experiment.strategy.slo))
    if any(c.keeps_slo and c.excluded is None for c in candidates):
        if experiment.strategy.chooser == "knowledge_gradient":
            return (
                f"; tried: it is likely to keep {slo} once it is known, the next run with "
                f"{_chance(best)}, and the runs after it may gain more than it costs"
            )
        return f"; it keeps {slo} with {_chance(best)} only; {_why(experiment)}"
    return (
        f"; infeasible: no allowed degree keeps {slo}, and this one comes closest, "
        f"with probability {_chance(best)}"
    )


def _chance(candidate: Candidate) -> str:
    return format_probability(candidate.slo_probability or 0.0)


def _fewest(experiment: Experiment, best: Candidate, candidates: Sequence[Candidate]) -> str:
    """That the objective favours the smallest degree, of which users wonder."""
    objective, smallest = experiment.objective, candidates[0]
    if experiment.worker_types or not objective.favours_fewest_workers:
        return ""
    text = (
        f"; with urgency {objective.urgency:g} not above the cost exponent "
        f"{objective.exponent:g}, fewer workers"
    )
    if best.parallelism == smallest.parallelism:
        return f"{text} always win"
    if experiment.strategy.slo or smallest.excluded is not None:
        return ""
    return f"{text} win wherever Amdahl's law holds"
