"""The pictures and the code of docs/strategies.md."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/strategies.md").read_text()


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location(
        "strategies_example", ROOT / "examples/strategies.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_every_picture_is_in_the_document_and_in_the_repository(example):
    shown = set(re.findall(r"images/(strategy-\w+\.svg)", TEXT))
    assert shown == {f"strategy-{scene.name}.svg" for scene in example.SCENES}
    assert all((ROOT / "docs/images" / name).exists() for name in shown)


def test_pictures_are_drawn_into_the_folder(example, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["strategies.py", str(tmp_path / "new")])
    monkeypatch.setattr(example, "SCENES", example.SCENES[6:7])
    example.main()
    (picture,) = (tmp_path / "new").iterdir()
    assert "the cheapest that keeps 70 s" in picture.read_text()


def test_pictures_in_the_repository_show_what_is_chosen_today(example):
    titles = {
        scene.name: f">{scene.title}: {example.decide(scene).parallelism} workers<"
        for scene in example.SCENES
    }
    shown = {
        name: (ROOT / f"docs/images/strategy-{name}.svg").read_text().count(title)
        for name, title in titles.items()
    }
    assert shown == dict.fromkeys(titles, 1)


def test_edge_is_tried_where_the_deadline_is_kept_by_more_workers(example):
    scenes = {scene.name: example.decide(scene) for scene in example.SCENES}
    edge, kept = scenes["constrained_improvement"], scenes["deadline"]
    assert edge.parallelism < kept.parallelism
    assert scenes["guard"].parallelism == 6


def test_code_runs_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S):
        exec(compile(code, "docs/strategies.md", "exec"), {})  # the repository's own text


def test_commands_run_as_written(tmp_path, monkeypatch):
    from arbo_bo import ArboOptimizer
    from arbo_bo.cli import main

    url = f"sqlite:///{tmp_path / 'arbo.db'}"
    monkeypatch.setenv("ARBO_DATABASE_URL", url)
    (commands,) = re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)
    assert [main(line.split()[1:]) for line in commands.splitlines()] == [0, 0]
    with ArboOptimizer(url) as arbo:
        assert len(arbo.experiment("report").strategy.slo) == 2
