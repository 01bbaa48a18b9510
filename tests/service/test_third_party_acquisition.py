"""Packages with the entry point `arbo_bo.acquisition`, installed as pip would install them."""

import logging
import shutil
import sys
from pathlib import Path

import pytest
from known_task import LAW

from arbo_bo import ArboOptimizer
from arbo_bo.acquisition import registry
from arbo_bo.cli import main
from arbo_bo.errors import AcquisitionError, UnknownAcquisitionError

WORKING = """
def fastest(inputs):
    from arbo_bo.acquisition import ExpectedTime

    return ExpectedTime(inputs.model)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package on the path: its name, its code, and its acquisition functions by name."""
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def put(package, code, **points):
        (tmp_path / f"{package}.py").write_text(code)
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {package}:{function}" for name, function in points.items()]
        text = "\n".join([f"[{registry.ENTRY_POINTS}]", *lines, ""])
        (folder / "entry_points.txt").write_text(text)
        names.append(package)
        registry._third_party.cache_clear()

    yield put
    registry._third_party.cache_clear()
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as optimizer:
        rows = [{"parallelism": s, "execution_time_s": LAW.runtime_s(s)} for s in (1, 4, 8)]
        optimizer.attach_trials("t", rows)
        yield optimizer


def test_acquisition_of_another_package_chooses(arbo, install):
    install("quick_package", WORKING, fastest="fastest")
    arbo.configure_experiment("t", parallelism=(1, 16), acquisition="fastest")
    decision = arbo.suggest("t", cluster_load=0)
    assert (decision.parallelism, decision.acquisition) == (16, "fastest")
    assert "the choice of 'fastest'" in decision.reason


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module"),
        ("1 +", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("", "AttributeError: module 'broken_package' has no attribute 'make'"),
    ],
)
def test_package_that_raises_on_import_is_named_skipped_and_logged(
    arbo, install, caplog, code, error
):
    install("broken_package", code, theirs="make")
    install("quick_package", WORKING, fastest="fastest")
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        arbo.configure_experiment("t", acquisition="fastest")
        assert arbo.suggest("t").acquisition == "fastest"
    (record,) = [r for r in caplog.records if "skipped" in r.getMessage()]
    assert "'theirs' (broken_package:make)" in record.getMessage()
    assert error in record.getMessage()
    with pytest.raises(UnknownAcquisitionError, match="'theirs' could not be loaded"):
        arbo.configure_experiment("t", acquisition="theirs")


def test_package_that_raises_on_import_is_one_line_in_the_cli(arbo, install, sqlite_url, capsys):
    install("broken_package", "raise RuntimeError('no licence')", theirs="make")
    assert main(["configure", "t", "--acquisition", "theirs", "--store", sqlite_url]) == 1
    error = capsys.readouterr().err
    assert "acquisition must be one of expected_cost" in error
    assert "RuntimeError: no licence" in error
    assert main(["configure", "t", "--acquisition", "lcb", "--store", sqlite_url]) == 0


FAILING = """
def at_once(inputs):
    raise KeyError("licence")

def exits(inputs):
    raise SystemExit(3)

def nothing(inputs):
    return None

def when_asked(inputs):
    from arbo_bo.acquisition import ExpectedTime

    class Broken(ExpectedTime):
        def forward(self, X):
            assert not len(X)

    return Broken(inputs.model)

def one_value(inputs):
    return lambda X: X.sum().reshape(1)
"""


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("at_once", "KeyError: 'licence'"),
        ("exits", "SystemExit: 3"),
        ("nothing", "TypeError"),
        ("when_asked", "AssertionError"),
        ("one_value", "ShapeError: the values of 32 degrees need shape (32,), got (1,)"),
    ],
)
def test_acquisition_that_fails_at_a_decision_is_one_error_that_names_it(
    arbo, install, sqlite_url, capsys, function, problem
):
    install("failing_package", FAILING, theirs=function)
    arbo.configure_experiment("t", acquisition="theirs")
    with pytest.raises(AcquisitionError) as caught:
        arbo.suggest("t")
    assert "acquisition 'theirs' of another package failed" in str(caught.value)
    assert problem in str(caught.value)
    assert len(arbo.trials("t")) == 3
    assert arbo.get_optimal_parallelism("t", default_val=7) == 7
    assert main(["suggest", "t", "--store", sqlite_url]) == 1
    assert capsys.readouterr().err.count("arbo: error: acquisition 'theirs'") == 1


def test_failure_of_an_own_acquisition_keeps_its_type(arbo):
    with pytest.raises(KeyError), registry.named_failure("lcb"):
        raise KeyError("x")


@pytest.fixture
def beside_uninstalled(arbo, install):
    """A task "t", and a task "theirs" whose acquisition function is no longer installed."""
    install("quick_package", WORKING, fastest="fastest")
    rows = [{"parallelism": s, "execution_time_s": LAW.runtime_s(s)} for s in (1, 4, 8)]
    arbo.attach_trials("theirs", rows)
    arbo.configure_experiment("theirs", acquisition="fastest")
    registry._third_party.cache_clear()
    sys.path_importer_cache.clear()
    for file in Path(sys.path[0]).glob("quick_package*"):
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink()
    return arbo


def test_batch_goes_on_without_a_task_whose_package_is_gone(beside_uninstalled, caplog):
    decisions = beside_uninstalled.suggest_many(["theirs", "t"])
    assert list(decisions) == ["t"]
    assert "theirs is left out: " in caplog.text
    assert [t.status for t in beside_uninstalled.trials("theirs")] == ["COMPLETED"] * 3
    with pytest.raises(UnknownAcquisitionError):
        beside_uninstalled.suggest_many(["theirs"])


def test_night_on_the_command_line_tells_that_a_task_was_left_out(
    beside_uninstalled, sqlite_url, capsys, caplog
):
    assert main(["decide", "--all", "--store", sqlite_url]) == 1
    assert " t " in capsys.readouterr().out
    assert "theirs is left out: " in caplog.text
