"""``arbo db``: the store's schema, and how much it holds."""

import sys
from typing import Annotated

import typer

from arbo_bo.cli import options, render
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE

app = typer.Typer(help="The database's schema and size.", no_args_is_help=True)


@app.command()
def version(store: options.Store = None, json: options.Json = False) -> None:
    """Show the database's schema version and the one that this arbo works with."""
    from arbo_bo.storage import SQLTrialStore

    opened = SQLTrialStore(store)
    found, head = opened.schema_version(), opened.head_version
    if json:
        return render.print_json({"database": found, "arbo_bo": head})
    render.stdout().print(f"database {found or 'empty'}, arbo_bo {head}", markup=False)


@app.command()
def upgrade(store: options.Store = None, json: options.Json = False) -> None:
    """Bring the database's schema up to this arbo's."""
    from arbo_bo.storage import SQLTrialStore

    before, after = SQLTrialStore(store).upgrade()
    if json:
        return render.print_json({"before": before, "after": after})
    changed = f"{before or 'empty'} -> {after}" if before != after else f"{after}, up to date"
    render.stdout().print(f"schema {changed}", markup=False)


@app.command()
def prune(
    keep_last: Annotated[
        int | None,
        typer.Option(metavar="N", help="Newest trials of each kind that stay.", show_default=False),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Only what ended longer ago, such as 90d."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Delete old trials of all tasks in the namespace.

    Open trials stay, and what decisions look at: of each task the newest window that trains, as
    many failed ones, and all that was learned.
    """
    from arbo_bo.storage.pruning import prune as prune_store

    if keep_last is None and older_than is None:
        raise typer.BadParameter("say which trials may go: --keep-last, --older-than, or both")
    age_s = options.parse_duration_s("--older-than", older_than)
    opened = options.open_store(store, namespace)
    found = prune_store(opened, keep_last, age_s, dry_run=True)
    if found and not dry_run:
        if not yes:
            _confirm(f"delete {sum(found.values())} trials of {len(found)} tasks?")
        found = prune_store(opened, keep_last, age_s)
    if json:
        return render.print_json({"deleted": not dry_run, "trials": dict(found)})
    would = "would be " if dry_run else ""
    render.stdout().print(
        f"{sum(found.values())} trials of {len(found)} tasks {would}deleted", markup=False
    )


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidValueError(f"{question} nobody can be asked here: add --yes, or --dry-run")
    typer.confirm(question, abort=True, err=True)
