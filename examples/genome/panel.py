"""Read a panel: which sample belongs to which population and super-population.

The layout is the one of the 1000 Genomes project (`integrated_call_samples_v3.20130502.ALL.panel`):
a header line, then tab-separated `sample`, `pop`, `super_pop` and `gender`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from program import InputError
from vcf import VcfFile

ALL = "ALL"
COLUMNS = ("sample", "pop", "super_pop", "gender")

_REQUIRED = COLUMNS[:3]


@dataclass(frozen=True)
class Panel:
    """The groups (population, super-population) of each sample."""

    path: Path
    groups: dict[str, tuple[str, str]]

    def names(self) -> list[str]:
        """Return the populations and super-populations, sorted."""
        return sorted({name for names in self.groups.values() for name in names})


def read_panel(path: Path) -> Panel:
    """Read a panel file.

    Raises:
        InputError: The file cannot be read, or a line has not the columns of a panel.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as err:
        raise InputError(f"{path}: expected a readable panel file, got: {err.strerror}") from err
    except UnicodeDecodeError as err:
        raise InputError(f"{path}, byte {err.start}: expected UTF-8 text in a panel") from err
    if not lines or tuple(lines[0].split("\t")[:3]) != _REQUIRED:
        got = repr(lines[0][:40]) if lines else "an empty file"
        raise InputError(f"{path}, line 1: expected the columns {' '.join(_REQUIRED)}, got {got}")
    groups = {}
    for number, line in enumerate(lines[1:], start=2):
        columns = line.split("\t")
        if len(columns) < len(_REQUIRED) or not all(columns[: len(_REQUIRED)]):
            raise InputError(
                f"{path}, line {number}: expected {' '.join(_REQUIRED)}, got {line[:40]!r}"
            )
        sample, population, super_population = columns[:3]
        groups[sample] = (population, super_population)
    return Panel(path, groups)


def sample_indices(vcf: VcfFile, panel: Panel | None, population: str) -> list[int]:
    """Return the positions in `vcf.samples` of one population's samples.

    Args:
        vcf: The file whose samples are chosen from.
        panel: The groups; not needed for `ALL`.
        population: A population, a super-population, or `ALL` for every sample of the file.

    Raises:
        InputError: The panel has no such population, or the file no sample of it.
    """
    if population == ALL:
        return list(range(len(vcf.samples)))
    if panel is None:
        raise InputError(f"expected a panel to find the samples of population {population!r}")
    if population not in panel.names():
        known = ", ".join([ALL, *panel.names()])
        raise InputError(f"{panel.path}: expected one of {known}, got population {population!r}")
    indices = [
        index
        for index, sample in enumerate(vcf.samples)
        if population in panel.groups.get(sample, ())
    ]
    if not indices:
        raise InputError(
            f"{vcf.path}: expected samples of population {population!r} as in {panel.path}, "
            f"got none among {len(vcf.samples)} samples"
        )
    return indices
