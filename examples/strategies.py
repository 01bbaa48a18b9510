"""Draws the pictures of docs/strategies.md: what each strategy makes of the same few runs.

python examples/strategies.py docs/images
"""

import argparse
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arbo_bo import AmdahlLaw, ArboOptimizer, Decision, MaxCost, MaxExecutionTime, Objective

LAW = AmdahlLaw(t1_s=300.0, p=0.93, c_s=5.0)
SEEN = (1, 3, 6)
NOISE = 0.05
DEADLINE_S = 70.0
CHOSEN, KEPT, LEFT_OUT, BAND = "#c1121f", "#1f5fa8", "#c4c4c4", "#1f5fa822"
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "arbo_bo",
    "svg.fonttype": "none",
}


@dataclass(frozen=True)
class Scene:
    """One picture: its file's name, its title and what is configured for it."""

    name: str
    title: str
    settings: dict[str, Any]


SCENES = (
    Scene("knowledge_gradient", "knowledge gradient: this run, and what the next ones learn", {}),
    Scene(
        "expected_cost",
        "expected_cost: the lowest expected cost",
        {"acquisition": "expected_cost"},
    ),
    Scene(
        "expected_improvement",
        "expected_improvement: where more may be found",
        {"acquisition": "expected_improvement"},
    ),
    Scene("lcb", "lcb: what could be good is tried", {"acquisition": "lcb"}),
    Scene("risk_averse", "risk_averse: what could be bad waits", {"acquisition": "risk_averse"}),
    Scene("thompson", "thompson: the best of one draw", {"acquisition": "thompson"}),
    Scene(
        "deadline",
        "deadline: the cheapest that keeps 70 s",
        {
            "acquisition": "deadline",
            "slo": MaxExecutionTime(DEADLINE_S),
            "objective": Objective(urgency=0.6),
        },
    ),
    Scene(
        "budget",
        "budget: the fastest that 0.06 buys",
        {"slo": MaxCost(0.06, price_per_worker_hour=0.4)},
    ),
    Scene(
        "constrained_improvement",
        "constrained_improvement: tries the edge of 70 s",
        {
            "acquisition": "constrained_improvement",
            "slo": MaxExecutionTime(DEADLINE_S),
            "objective": Objective(urgency=0.6),
        },
    ),
    Scene("guard", "guard: away from the default only when sure", {"guard": 0.98}),
)


def history() -> list[dict[str, float]]:
    """The runs that every scene starts from: the law with a few per cent of noise."""
    rng = random.Random(7)
    return [
        {"parallelism": s, "execution_time_s": LAW.runtime_s(s) * rng.lognormvariate(0, NOISE)}
        for s in SEEN
    ]


def decide(scene: Scene) -> Decision:
    """What a fresh task with this history decides under the scene's settings."""
    with ArboOptimizer("sqlite://") as arbo:
        arbo.configure_experiment(
            scene.name, parallelism=(1, 20), default_parallelism=6, **scene.settings
        )
        arbo.attach_trials(scene.name, history())
        return arbo.decide(scene.name, cluster_load=0)


def draw(scene: Scene, path: Path) -> None:
    """Draws what was believed, what the strategy made of it, and the chosen degree."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import MaxNLocator

    decision = decide(scene)
    rows = decision.explain().rows
    degrees = [row.parallelism for row in rows]
    with plt.rc_context(STYLE):
        figure, (times, values) = plt.subplots(2, 1, figsize=(5.6, 4.4), sharex=True)
        _draw_times(times, decision)
        values.set_ylabel("value, more is better")
        values.set_xlabel("workers")
        values.xaxis.set_major_locator(MaxNLocator(integer=True))
        eligible = [
            c.excluded is None
            and (c.keeps_slo or decision.acquisition == "constrained_improvement")
            for c in decision.candidates
        ]
        top = max(c.value for c, ok in zip(decision.candidates, eligible, strict=True) if ok)
        span = _span(decision, eligible)
        for row, ok in zip(rows, eligible, strict=True):
            height = max(row.value - (top - span), 0.02 * span) if ok else 0.02 * span
            colour = CHOSEN if row.chosen else KEPT if ok else LEFT_OUT
            values.bar(row.parallelism, height, bottom=top - span, color=colour, width=0.7)
        values.set_ylim(top - span, top + 0.05 * span)
        times.set_title(f"{scene.title}: {decision.parallelism} workers")
        times.set_xlim(degrees[0] - 0.7, degrees[-1] + 0.7)
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _draw_times(axes: Any, decision: Decision) -> None:
    rows = decision.explain().rows
    degrees = [row.parallelism for row in rows]
    low, high = [row.quantile_05_s for row in rows], [row.quantile_95_s for row in rows]
    axes.fill_between(degrees, low, high, color=BAND, label="5 % to 95 %")
    axes.plot(degrees, [row.median_s for row in rows], color=KEPT, label="median")
    runs = history()
    axes.plot(
        [run["parallelism"] for run in runs],
        [run["execution_time_s"] for run in runs],
        "o",
        color="black",
        markersize=4,
        label="runs so far",
    )
    for level in decision.strategy.slo:
        limits = [level.limit_s(s) for s in degrees]
        axes.plot(degrees, limits, "--", color="#555555", linewidth=1, label="service level")
    axes.axvline(decision.parallelism, color=CHOSEN, linewidth=1)
    axes.set_yscale("log")
    axes.set_yticks([40, 60, 100, 200, 300], labels=["40", "60", "100", "200", "300"])
    axes.minorticks_off()
    axes.set_ylabel("time of a run [s]")
    axes.legend(fontsize=8)


def _span(decision: Decision, eligible: list[bool]) -> float:
    """How far down from the best the bars go: all of it, where that can be read."""
    values = [c.value for c, ok in zip(decision.candidates, eligible, strict=True) if ok]
    return max(min((max(values) - min(values)) * 1.15, 6.0), 0.05)


def main() -> None:
    """Draws every scene into a folder."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/strategies.md.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        draw(scene, folder / f"strategy-{scene.name}.svg")


if __name__ == "__main__":
    main()
