"""What the built wheel holds."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(path)


def test_wheel_installs_one_top_level_package(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"arbo_bo"}


@pytest.mark.parametrize(
    "name",
    ["py.typed", "models/__init__.py", "acquisition/__init__.py", "numerics/__init__.py",
     "generation/__init__.py", "execution/__init__.py", "cli/__init__.py",
     "integrations/airflow/__init__.py", "integrations/ax/__init__.py", "context/__init__.py",
     "benchmarks/__init__.py",
     "storage/migrations/env.py"],
)  # fmt: skip
def test_wheel_holds_every_subpackage(wheel, name):
    assert f"arbo_bo/{name}" in wheel.namelist()


def test_wheel_carries_licence_and_command(wheel):
    names = [name.partition(".dist-info/")[2] for name in wheel.namelist()]
    assert "licenses/LICENSE" in names
    (entry,) = (n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    assert "arbo = arbo_bo.cli:main" in wheel.read(entry).decode()
