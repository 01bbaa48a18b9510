"""A task of arbo's in Ax's own analyses and plots."""

from ax.analysis.plotly.parallel_coordinates import ParallelCoordinatesPlot
from ax.analysis.summary import Summary
from ax.core.analysis_card import AnalysisCard

from arbo_bo import AmdahlLaw, ArboOptimizer
from arbo_bo.integrations.ax import to_ax_experiment

JOB = AmdahlLaw(t1_s=240.0, p=0.95, c_s=4.0)


def main() -> list[AnalysisCard]:
    """Runs a job six times; returns Ax's table of the trials and a plot of them."""
    arbo = ArboOptimizer("sqlite://")
    for _ in range(6):
        decision = arbo.suggest("nightly", input_size=5.0)
        time_s = JOB.runtime_s(decision.parallelism)
        arbo.complete_trial("nightly", decision.trial_index, execution_time_s=time_s)
    experiment = to_ax_experiment(arbo, "nightly", window=50)
    analyses = [Summary(), ParallelCoordinatesPlot("execution_time_s")]
    return [analysis.compute(experiment=experiment) for analysis in analyses]


if __name__ == "__main__":
    table, plot = main()
    print(table.df.to_string(index=False))
    plot.get_figure().write_html("trials.html")
    print("the plot is in trials.html")
