"""``arbo configure``, ``rename``, ``delete``, ``predict`` and ``tasks``."""

from collections.abc import Mapping
from typing import Any

import click

from arbo_bo.cli import options, render
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.setting_options import apply_configuration, settings
from arbo_bo.cli.values import parse_parallelism


@click.command()
@options.task
@settings
@options.where
@options.json
def configure(
    task: str, given: Mapping[str, Any], store: str | None, namespace: str, json: bool
) -> None:
    """Create a task, or change its configuration and keep its trials."""
    experiment, notes = apply_configuration(open_optimizer(store, namespace), task, given)
    for note in notes:
        render.say(note)
    if json:
        return render.print_json(render.experiment_json(experiment))
    render.print_table(render.experiment_table([experiment]))


@click.command()
@options.task
@click.argument("name")
@options.where
@options.json
def rename(task: str, name: str, store: str | None, namespace: str, json: bool) -> None:
    """Give a task another name; its trials go with it."""
    experiment = open_optimizer(store, namespace, must_exist=True).rename_experiment(task, name)
    if json:
        return render.print_json(render.experiment_json(experiment))
    said = "is called so already, nothing changed" if name == task else f"is now {experiment.name}"
    render.say(f"{task} {said}")


@click.command()
@options.task
@options.yes
@options.where
@options.json
def delete(task: str, yes: bool, store: str | None, namespace: str, json: bool) -> None:
    """Delete a task with all its trials, for good."""
    arbo = open_optimizer(store, namespace, must_exist=True)
    samples = arbo.experiment(task).model.sample_count
    if not yes:
        question = f"delete {task} with all its trials, {samples} of which train? There is no undo."
        click.confirm(question, abort=True, err=True)
    arbo.delete_experiment(task)
    if json:
        return render.print_json({"deleted": task})
    render.say(f"deleted {task}")


@click.command()
@options.task
@options.parallelism
@options.input_size
@options.cluster_load
@options.where
@options.json
def predict(
    task: str,
    parallelism: str | None,
    input_size: str | None,
    cluster_load: float | None,
    store: str | None,
    namespace: str,
    json: bool,
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
    render.print_table(render.prediction_table(predictions))


@click.command()
@options.where
@options.json
def tasks(store: str | None, namespace: str, json: bool) -> None:
    """List the tasks, with the law that each has learned."""
    experiments = open_optimizer(store, namespace, must_exist=True).experiments()
    if json:
        return render.print_json_list(map(render.experiment_json, experiments))
    if not experiments:
        render.say("no tasks yet: `arbo tune` or `arbo suggest` makes one")
        return
    render.print_table(render.experiment_table(experiments))
