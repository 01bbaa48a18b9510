"""The optional packages of the extra `bench`."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from arbo_bo.errors import ArboError

NEEDED = ("joblib", "pandas", "matplotlib")


class MissingPackageError(ArboError, ImportError):
    """A package that is not installed is needed; the message says how to install it."""


def require_bench() -> None:
    """Checks that the benchmark's packages are installed.

    Raises:
        MissingPackageError: One is not.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MissingPackageError(
            f"the benchmark needs {', '.join(missing)}: pip install 'arbo-bo[bench]'"
        )


def dask_client(address: str) -> Any:
    """A client of the Dask scheduler at this address.

    Raises:
        MissingPackageError: dask.distributed is not installed, or no scheduler answers.
    """
    if find_spec("distributed") is None:
        raise MissingPackageError("--dask needs dask.distributed: pip install 'dask[distributed]'")
    distributed: Any = import_module("distributed")
    try:
        return distributed.Client(address, timeout=10)
    except (OSError, ValueError) as err:
        raise MissingPackageError(f"no Dask scheduler answers at {address}: {err}") from err
