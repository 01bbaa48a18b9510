"""Policies by name: which exist, which can't be made here, and what making one loads."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from arbo_bo.benchmarks.policies import ORACLE, make_policy, missing_package, policy_names, registry
from arbo_bo.benchmarks.policies.arbo import ArboPolicy
from arbo_bo.benchmarks.policies.variants import settings_of, variant_names
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import MeanFunction, Objective, Residual, SearchSpace


def not_installed(package: str) -> None:
    raise PackageNotFoundError(package)


SETTING = Setting(SearchSpace((1, 2, 4)), Objective(), 2, 0)


def test_arbo_and_its_peers_are_listed_when_names_are_asked_for() -> None:
    assert set(policy_names()) == {
        "arbo",
        "online",
        "original",
        "ernest",
        "gp-ei",
        "optuna-tpe",
        "ax",
        "default",
        "random",
    }
    assert ORACLE not in policy_names()


def test_the_message_lists_what_exists_when_a_policy_is_unknown() -> None:
    with pytest.raises(InvalidValueError, match=r"'arb'.*arbo, .*ernest, .*random"):
        make_policy("arb", SETTING)
    with pytest.raises(InvalidValueError, match="those that exist"):
        missing_package("arb")


@pytest.mark.parametrize(
    ("name", "package", "extra"), [("optuna-tpe", "optuna", "bench"), ("ax", "ax-platform", "ax")]
)
def test_the_package_is_named_when_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    monkeypatch.setattr(registry, "distribution", not_installed)
    assert missing_package(name) == package
    with pytest.raises(InvalidValueError, match=rf"needs the package {package}.*arbo-bo\[{extra}"):
        make_policy(name, SETTING)


def test_nothing_is_missing_when_a_policy_needs_no_package_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "distribution", not_installed)
    assert missing_package("ernest") is None
    make_policy("ernest", SETTING)


def test_no_heavy_package_is_loaded_when_policies_are_listed() -> None:
    code = (
        "import sys; from arbo_bo.benchmarks.policies import policy_names, missing_package;"
        "[missing_package(n) for n in policy_names()];"
        "sys.exit(' '.join({'torch', 'botorch', 'optuna', 'ax'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_choice_of_an_experiment_is_a_policy_by_its_name() -> None:
    assert {"arbo:additive", "arbo:usl", "arbo:lcb", "arbo:around"} <= set(variant_names())
    assert settings_of("arbo:additive+usl+window=20") == {
        "residual": Residual.ADDITIVE,
        "mean": MeanFunction.USL,
        "window": 20,
    }
    policy = make_policy("arbo:additive+baseline=0", SETTING)
    assert isinstance(policy, ArboPolicy)
    assert policy.experiment.residual is Residual.ADDITIVE
    assert policy.experiment.baseline is False


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("arbo:nope", "part 'nope'; each is one of .*usl.*window="),
        ("arbo:usl+", "part ''"),
        ("arbo:window=many", "window must be a number, got 'many'"),
        ("arbo:window=0", "window must lie in"),
        ("arbo:deadline", "needs a MaxExecutionTime"),
    ],
)
def test_error_says_what_may_follow_when_a_part_is_unknown(name: str, match: str) -> None:
    with pytest.raises(InvalidValueError, match=match):
        make_policy(name, SETTING)
