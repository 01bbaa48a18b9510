"""``arbo configure``, ``predict``, ``tasks`` and ``show``."""

from typing import Annotated

import typer

from arbo_bo.cli import options, render
from arbo_bo.cli.options import open_optimizer, parse_parallelism
from arbo_bo.cli.strategy_options import StrategyOptions, with_strategy
from arbo_bo.errors import ExperimentNotFoundError
from arbo_bo.experiment import Experiment, Objective
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.service.optimizer import ArboOptimizer


def apply_configuration(
    arbo: ArboOptimizer,
    task: str,
    strategy: StrategyOptions,
    *,
    parallelism: str | None = None,
    default: int | None = None,
    urgency: float | None = None,
    cost_exponent: float | None = None,
    window: int | None = None,
    baseline: bool | None = None,
    residual: str | None = None,
    estimator: str | None = None,
    mean: str | None = None,
    lease: str | None = None,
) -> Experiment:
    """Configures the experiment with the options that were given; the others stay as stored."""
    try:
        before = arbo.experiment(task)
    except ExperimentNotFoundError:
        before = Experiment(task)
    settings = strategy.settings(before)
    objective = settings.pop("objective", None)
    if objective is not None and cost_exponent is not None:
        raise typer.BadParameter(
            "--price-per-worker-hour makes the cost money, and --cost-exponent makes it "
            "workers^C: give one of them"
        )
    if urgency is not None or cost_exponent is not None:
        base = objective or before.objective
        objective = Objective(
            base.urgency if urgency is None else urgency,
            base.cost_exponent if cost_exponent is None else cost_exponent,
            base.price_per_worker_hour if cost_exponent is None else None,
        )
    return arbo.configure_experiment(
        task,
        parallelism=parse_parallelism(parallelism),
        default_parallelism=default,
        objective=objective,
        window=window,
        baseline=baseline,
        residual=residual,
        estimator=estimator,
        mean=mean,
        lease_s=options.parse_duration_s("--lease", lease),
        **settings,
    )


@with_strategy
def configure(
    task: options.Task,
    parallelism: options.Parallelism = None,
    default: options.Default = None,
    urgency: options.Urgency = None,
    cost_exponent: options.CostExponent = None,
    window: options.Window = None,
    baseline: options.Baseline = None,
    residual: options.Residual = None,
    estimator: options.Estimator = None,
    mean: options.Mean = None,
    lease: options.Lease = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
    *,
    strategy: StrategyOptions,
) -> None:
    """Create a task, or change its configuration and keep its trials."""
    arbo = open_optimizer(store, namespace)
    experiment = apply_configuration(
        arbo,
        task,
        strategy,
        parallelism=parallelism,
        default=default,
        urgency=urgency,
        cost_exponent=cost_exponent,
        window=window,
        baseline=baseline,
        residual=residual,
        estimator=estimator,
        mean=mean,
        lease=lease,
    )
    if json:
        return render.print_json(render.experiment_json(experiment))
    render.stdout().print(render.experiment_table([experiment]))


def rename(
    task: options.Task,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name.", show_default=False)],
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Give a task another name; its trials go with it."""
    experiment = open_optimizer(store, namespace, must_exist=True).rename_experiment(task, name)
    if json:
        return render.print_json(render.experiment_json(experiment))
    said = "is called so already, nothing changed" if name == task else f"is now {experiment.name}"
    render.stderr().print(f"{task} {said}", markup=False)


def delete(
    task: options.Task,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
) -> None:
    """Delete a task with all its trials, for good."""
    arbo = open_optimizer(store, namespace, must_exist=True)
    samples = arbo.experiment(task).model.sample_count
    if not yes:
        question = f"delete {task} with all its trials, {samples} of which train? There is no undo."
        typer.confirm(question, abort=True, err=True)
    arbo.delete_experiment(task)
    render.stderr().print(f"deleted {task}", markup=False)


def predict(
    task: options.Task,
    parallelism: options.Parallelism = None,
    input_size: options.InputSize = None,
    cluster_load: options.ClusterLoad = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Predict the next run's time at each degree."""
    arbo, space = open_optimizer(store, namespace, must_exist=True), parse_parallelism(parallelism)
    predictions = arbo.predict(
        task,
        parallelism=None if space is None else space.degrees,
        input_size=input_size,
        cluster_load=cluster_load,
    )
    if json:
        return render.print_json([render.prediction_json(p) for p in predictions])
    render.stdout().print(render.prediction_table(predictions))


def tasks(
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """List the tasks, with the law that each has learned."""
    experiments = open_optimizer(store, namespace, must_exist=True).experiments()
    if json:
        return render.print_json([render.experiment_json(e) for e in experiments])
    if not experiments:
        render.stderr().print("no tasks yet: `arbo tune` or `arbo suggest` makes one")
        return
    render.stdout().print(render.experiment_table(experiments))


def show(
    task: options.Task,
    input_size: options.InputSize = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Show a task: its trials, its law, and what would be chosen now."""
    arbo = open_optimizer(store, namespace, must_exist=True)
    experiment, trials = arbo.experiment(task), arbo.trials(task)
    decision = None
    if experiment.model.sample_count:
        decision = arbo.decide(task, input_size=input_size)
    if json:
        return render.print_json(
            render.experiment_json(experiment)
            | {
                "decision": None if decision is None else render.decision_json(decision),
                "trials": [render.trial_json(t) for t in trials],
            }
        )
    out = render.stdout()
    out.print(render.experiment_table([experiment]))
    if trials:
        out.print()
        out.print(render.trial_table(trials[-experiment.window :]))
    if decision is not None:
        out.print()
        if decision.candidates:
            out.print(render.candidate_table(decision, render.measured_times(trials)))
            out.print()
        out.print(f"next run: {decision.reason}", markup=False)
