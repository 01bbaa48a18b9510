"""What a shell completes: the names of tasks and settings."""

import click
from click.shell_completion import CompletionItem

LIMIT_S = 1.0
"""How long a shell waits for names [s]; nobody waits longer for a key."""


def task_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes a task of the store that the command line names so far; silent on any failure."""
    from arbo_bo.cli.options import open_store
    from arbo_bo.errors import ArboError
    from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE

    given = context.params
    try:
        with (
            open_store(given.get("store"), given.get("namespace") or DEFAULT_NAMESPACE) as store,
            store.within(LIMIT_S),
        ):
            names = [experiment.name for experiment in store.experiments()]
    except (ArboError, OSError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def setting_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes the name of a task's setting."""
    from arbo_bo.experiment.settings import SETTINGS

    names = [name.replace("_", "-") for name in SETTINGS]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
