"""What a benchmark ran on: the machine, the versions, the day."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("arbo-bo", "torch", "gpytorch", "botorch", "numpy", "scipy", "optuna", "ax-platform")


def describe_machine() -> dict[str, object]:
    """Processor, cores, memory, Python and package versions, and the date, JSON-ready."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name)) is not None},
        "date": datetime.now(UTC).date().isoformat(),
    }


def _version(package: str) -> str | None:
    if package == "arbo-bo":
        from arbo_bo import __version__

        return __version__
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
