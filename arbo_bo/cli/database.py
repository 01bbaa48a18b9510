"""``arbo db``: the store's schema, and how much it holds."""

import os
import sys

import click

from arbo_bo.cli import options, render, values
from arbo_bo.errors import InvalidValueError


@click.group(no_args_is_help=True)
def app() -> None:
    """The database's schema and size."""


@app.command()
@options.store
@options.json
def version(store: str | None, json: bool) -> None:
    """Show the database's schema version and the one that this arbo works with."""
    from arbo_bo.storage import SQLTrialStore

    opened = SQLTrialStore(store)
    found, head = opened.schema_version(), opened.head_version
    if json:
        document = {"store": opened.masked_url, "database": found, "arbo_bo": head}
        return render.print_json(document)
    print(f"database {found or 'empty'}, arbo_bo {head}: {opened.masked_url}")


@app.command()
@options.store
@options.json
def upgrade(store: str | None, json: bool) -> None:
    """Bring the database's schema up to this arbo's."""
    from arbo_bo.storage import SQLTrialStore

    opened = SQLTrialStore(store)
    before, after = opened.upgrade()
    if json:
        return render.print_json({"store": opened.masked_url, "before": before, "after": after})
    changed = f"{before or 'empty'} -> {after}" if before != after else f"{after}, up to date"
    print(f"schema {changed}: {opened.masked_url}")
    _mention_airflow(store)


def _mention_airflow(store: str | None) -> None:
    """Says that Airflow's own connection is not looked at, where one stands beside no store."""
    named = store is not None or os.environ.get("ARBO_DATABASE_URL")
    connections = [name for name in os.environ if name.startswith("AIRFLOW_CONN_ARBO")]
    if connections and not named:
        render.say(
            f"{', '.join(connections)} is Airflow's; if that is the store meant, give its URL with "
            "--store or ARBO_DATABASE_URL"
        )


@app.command()
@click.option("--keep-last", type=int, metavar="N", help="Newest trials of each kind that stay.")
@click.option("--older-than", metavar="AGE", help="Only what ended longer ago, such as 90d.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@options.yes
@options.where
@options.json
def prune(
    keep_last: int | None,
    older_than: str | None,
    dry_run: bool,
    yes: bool,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Delete old trials of all tasks in the namespace.

    Open trials stay, and what decisions look at: of each task the newest window that trains, as
    many failed ones, and all that was learned.
    """
    from arbo_bo.storage.pruning import prune as prune_store

    if keep_last is None and older_than is None:
        raise click.UsageError("say which trials may go: --keep-last, --older-than, or both")
    age_s = values.parse_duration_s("--older-than", older_than)
    opened = options.open_store(store, namespace)
    found = prune_store(opened, keep_last, age_s, dry_run=True)
    if found and not dry_run:
        if not yes:
            _confirm(f"delete {sum(found.values())} trials of {len(found)} tasks?")
        found = prune_store(opened, keep_last, age_s)
    if json:
        return render.print_json({"deleted": not dry_run, "trials": dict(found)})
    would = "would be " if dry_run else ""
    print(f"{sum(found.values())} trials of {len(found)} tasks {would}deleted")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidValueError(f"{question} nobody can be asked here: add --yes, or --dry-run")
    click.confirm(question, abort=True, err=True)
