"""How many cores this process may use."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath


def available_cores(root: Path = Path("/")) -> int:
    """Returns the cores of this process: its affinity, within the CPU quotas of its cgroups.

    A quota of two and a half cores counts as two: a third worker would have no core of its own.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min([cores, *(int(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """The CPU quotas of this process's cgroups and of all above them, in cores."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    mount = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_ancestors(mount, path, _unified)
        elif "cpu" in controllers.split(","):
            yield from _of_ancestors(mount / "cpu", path, _legacy)


def _of_ancestors(
    mount: Path, path: str, read: Callable[[Path], tuple[int, int]]
) -> Iterator[float]:
    group = PurePosixPath(path)
    for part in (group, *group.parents):
        try:
            quota, period = read(mount / str(part).lstrip("/"))
        except (OSError, ValueError):  # no such controller here, or no quota: "max 100000"
            continue
        if quota > 0 and period > 0:
            yield quota / period


def _unified(folder: Path) -> tuple[int, int]:
    quota, period = (folder / "cpu.max").read_text().split()
    return int(quota), int(period)


def _legacy(folder: Path) -> tuple[int, int]:
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    quota, period = (int((folder / name).read_text()) for name in names)
    return quota, period
