"""What the built wheel and the source distribution hold."""

import email
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
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


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_readme_has_no_link_that_needs_the_repository(wheel):
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(wheel.read(name))
    text = metadata.get_payload()
    assert "How many workers" in text
    assert re.findall(r"\]\((?!https?://|#)", text) == []
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_extras_are_what_the_readme_says(wheel):
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    extras = email.message_from_bytes(wheel.read(name)).get_all("Provides-Extra")
    (line,) = re.findall(r"^Extras: (.*)", (ROOT / "README.md").read_text(), re.M)
    assert sorted(extras) == sorted(re.findall("`(.*?)`", line))


def test_the_sdist_holds_what_its_makefile_names(sdist):
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:perf|examples|tests|docs)/[\w./-]*\w", makefile))
    assert {"perf/chaos.py", "tests/e2e"} <= named
    missing = {n for n in named if not any(have == n or have.startswith(f"{n}/") for have in sdist)}
    assert missing == set()


@pytest.mark.parametrize("name", ["compose.yaml", "constraints.txt", "Makefile", "hatch_build.py"])
def test_the_sdist_holds_what_its_tests_need(sdist, name):
    assert name in sdist
