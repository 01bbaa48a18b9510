"""Options that several commands share, and the store that they name."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import click

from arbo_bo.cli.completion import task_names
from arbo_bo.errors import StoreUnavailableError
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.service.delivery import delivered_quietly
from arbo_bo.service.optimizer import ArboOptimizer

if TYPE_CHECKING:
    from arbo_bo.storage import SQLTrialStore

DELIVERY_S = 2.0
"""How long the delivery of earlier runs may hold up a command [s]."""

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]
"""What adds parameters to a command, as `click.option` does."""


def together(*decorators: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Several decorators as one; the first one's option comes first."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


task = click.argument("task", shell_complete=task_names)


NO_TRIAL = -1
store = click.option(
    "--store",
    metavar="URL",
    help="Database: sqlite:///arbo.db or postgresql://user@host/name.  "
    "[default: $ARBO_DATABASE_URL, else a file in your data folder]",
)
namespace = click.option(
    "--namespace",
    metavar="NAME",
    default=DEFAULT_NAMESPACE,
    show_default=True,
    help="Namespace of the tasks.",
)
json = click.option("--json", is_flag=True, help="Print one JSON document on stdout.")
yes = click.option("--yes", is_flag=True, help="Do not ask.")
where = together(store, namespace)
parallelism = click.option(
    "--parallelism",
    metavar="DEGREES",
    help="Allowed degrees: 1:32, 1,2,4,8, or 1:cores.  [default of a new task: 1:cores]",
)
prepare = click.option(
    "--prepare",
    metavar="COMMAND",
    help="A shell's command to run before each run, outside of its time, such as 'make clean'.",
)
input_size = click.option(
    "--input-size",
    metavar="N|PATH|URL",
    help="Size of the run's input, in any fixed unit, or the path, glob or URL to measure in "
    "bytes.",
)
input_size_fallback = click.option(
    "--input-size-fallback",
    metavar="N|unknown",
    help="What stands for a size that cannot be had.  [default: none, that is an error]",
)
cluster_load = click.option(
    "--cluster-load",
    type=float,
    metavar="L",
    help="Workers that other runs keep busy.  [default: those of other running trials]",
)
startup_time = click.option(
    "--startup-time", metavar="TIME", help="The part of it that was start-up."
)


class _TrialName(click.ParamType[int | str]):
    """A trial's index, or its identity."""

    name = "index"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """Reads the text."""
        with suppress(ValueError):
            return str(UUID(str(value)))
        return click.INT.convert(value, param, ctx)


class _MaybeTrialName(_TrialName):
    """Or nothing, where `arbo suggest --default` could make no trial."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """Reads the text."""
        return NO_TRIAL if value == "" else super().convert(value, param, ctx)


index = click.argument("index", type=_TrialName())
optional_index = click.argument("index", type=_TrialName(), required=False)
maybe_index = click.argument("index", type=_MaybeTrialName(), required=False, default="")


def open_optimizer(store: str | None, namespace: str, must_exist: bool = False) -> ArboOptimizer:
    """Opens the store that the options name, and tells it what runs of this machine could not.

    Args:
        store: The ``--store`` option.
        namespace: The ``--namespace`` option.
        must_exist: Whether a file that is not there is an error; a command that only reads should
            not answer a mistyped name with an empty database.

    Raises:
        StoreUnavailableError: It must exist, and does not.
    """
    if must_exist:
        _require_file(store)
    arbo = ArboOptimizer(store, namespace=namespace)
    with arbo.store.within(DELIVERY_S):
        delivered_quietly(arbo.store)
    return arbo


def open_store(store: str | None, namespace: str) -> "SQLTrialStore":
    """The store that the options name, which must be there.

    Raises:
        StoreUnavailableError: It is not.
    """
    from arbo_bo.storage import SQLTrialStore

    _require_file(store)
    return SQLTrialStore(store, namespace)


def _require_file(store: str | None) -> None:
    """Refuses a named file that is not there; nobody has named the one in the data folder."""
    from arbo_bo.storage.url import ENVIRONMENT_VARIABLE, resolve_url, sqlite_path

    if store is None and not os.environ.get(ENVIRONMENT_VARIABLE):
        return
    path = sqlite_path(resolve_url(store))
    if path is not None and not path.exists():
        raise StoreUnavailableError(
            f"there is no database {path}; check the name, `arbo tune` or `arbo suggest` "
            "would make it"
        )
