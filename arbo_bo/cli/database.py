"""``arbo db``: the store's schema."""

import typer

from arbo_bo.cli import options, render

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


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
