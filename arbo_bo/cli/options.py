"""Options that several commands share, and how their texts become values."""

import math
import os
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, overload

import typer

from arbo_bo.context.input_size import UNKNOWN, Fallback
from arbo_bo.errors import InvalidValueError, StoreUnavailableError
from arbo_bo.experiment import SearchSpace
from arbo_bo.service.optimizer import ArboOptimizer

if TYPE_CHECKING:
    from arbo_bo.storage import SQLTrialStore

option: Callable[..., Any] = partial(typer.Option, show_default=False)
"""An option whose help says by itself what holds without it."""

Task = Annotated[str, typer.Argument(metavar="TASK", help="The task's name.", show_default=False)]
Index = Annotated[
    int, typer.Argument(metavar="INDEX", help="The trial's index.", show_default=False)
]
Store = Annotated[
    str | None,
    option(
        metavar="URL",
        help="Database: sqlite:///arbo.db or postgresql://user@host/name.  "
        "[default: $ARBO_DATABASE_URL, else a file in your data folder]",
    ),
]
Namespace = Annotated[str, typer.Option(metavar="NAME", help="Namespace of the tasks.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Parallelism = Annotated[
    str | None, option(metavar="DEGREES", help="Allowed degrees: 1:32 or 1,2,4,8.")
]
Default = Annotated[int | None, option(metavar="DEGREE", help="Degree of the probe.  [default: 5]")]
Urgency = Annotated[
    float | None,
    option(
        metavar="A",
        help="Minimise T^A x cost: 0.5 saves money, 1 balances, 2 saves time.  [default: 1]",
    ),
]
CostExponent = Annotated[
    float | None, option(metavar="C", help="Cost grows as workers^C.  [default: 0.5]")
]
Window = Annotated[
    int | None, option(metavar="W", help="Newest completed runs that train.  [default: 50]")
]
Baseline = Annotated[
    bool | None,
    option(
        "--baseline/--no-baseline",
        help="Whether the first run takes the smallest allowed degree.  [default: baseline]",
    ),
]
Residual = Annotated[
    str | None,
    option(metavar="KIND", help="multiplicative or additive.  [default: multiplicative]"),
]
Estimator = Annotated[
    str | None, option(metavar="NAME", help="gp, or online: the original algorithm.  [default: gp]")
]
Mean = Annotated[
    str | None,
    option(
        metavar="NAME",
        help="The law that the Gaussian process stands on: amdahl, usl (slower again past its best "
        "degree), ernest, or auto.  [default: amdahl]",
    ),
]
Lease = Annotated[
    str | None,
    option(
        metavar="TIME",
        help="A run that takes longer counts as lost, such as 36h.  "
        "[default: 24h, or ten times the predicted time]",
    ),
]
InputSize = Annotated[
    str | None,
    option(
        metavar="N|PATH|URL",
        help="Size of the run's input, in any fixed unit, or the path, glob or URL to measure "
        "in bytes.",
    ),
]
InputSizeFallback = Annotated[
    str | None,
    option(
        metavar="N|unknown",
        help="What stands for a size that cannot be had.  [default: none, that is an error]",
    ),
]
ClusterLoad = Annotated[
    float | None,
    option(
        metavar="L",
        help="Workers that other runs keep busy.  [default: those of other running trials]",
    ),
]
Time = Annotated[
    str,
    typer.Option(metavar="TIME", help="Wall time, start-up included: seconds, or such as 5m."),
]
StartupTime = Annotated[
    str | None, typer.Option(metavar="TIME", help="The part of it that was start-up.")
]

_UNITS_S = {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def open_optimizer(store: str | None, namespace: str, must_exist: bool = False) -> ArboOptimizer:
    """The front door on the store that the options name.

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
    return ArboOptimizer(store, namespace=namespace)


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


def parse_parallelism(text: str | None) -> SearchSpace | None:
    """Reads ``1:32``, ``1,2,4`` or ``4``.

    Raises:
        InvalidValueError: It is none of these.
    """
    if text is None:
        return None
    try:
        if ":" in text:
            low, high = (int(part) for part in text.split(":"))
            return SearchSpace.between(low, high)
        return SearchSpace(tuple(int(part) for part in text.split(",")))
    except InvalidValueError:
        raise
    except ValueError as err:
        raise InvalidValueError(
            f"allowed degrees are written 1:32 (a range) or 1,2,4 (a list), got {text!a}"
        ) from err


@overload
def parse_duration_s(
    name: str, text: str, needs_unit: bool = False, may_be_zero: bool = False
) -> float: ...
@overload
def parse_duration_s(
    name: str, text: str | None, needs_unit: bool = False, may_be_zero: bool = False
) -> float | None: ...
def parse_duration_s(
    name: str, text: str | None, needs_unit: bool = False, may_be_zero: bool = False
) -> float | None:
    """Reads ``90``, ``90s``, ``10m`` or ``1.5h`` as seconds.

    Args:
        name: The option's name, for the message.
        text: What was given; None: nothing.
        needs_unit: Whether a bare number is refused.
        may_be_zero: Whether no time at all is one.

    Raises:
        InvalidValueError: It is no duration, has no unit, or is not above zero.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9.eE+-]+)\s*([a-z]*)\s*", text)
    try:
        value = float(match[1]) * _UNITS_S[match[2]] if match else math.nan
    except (ValueError, KeyError):
        value = math.nan
    if not (0 < value < math.inf or (may_be_zero and value == 0)):
        above = "" if may_be_zero else ", above 0"
        raise InvalidValueError(
            f"{name} must be a time such as 90s, 10m or 1.5h{above}, got {text!a}"
        )
    if needs_unit and match and not match[2]:
        raise InvalidValueError(f"{name} needs a unit, as in {text.strip()}s or 10m, got {text!a}")
    return value


def parse_fallback(text: str | None) -> Fallback:
    """Reads ``unknown`` or a size.

    Raises:
        InvalidValueError: It is neither.
    """
    if text is None:
        return None
    if text == UNKNOWN:
        return UNKNOWN
    try:
        return float(text)
    except ValueError as err:
        raise InvalidValueError(
            f"--input-size-fallback must be a size or 'unknown', got {text!a}"
        ) from err
