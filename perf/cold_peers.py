"""One decision of each peer from fifty runs, as programs: degrees and times are in a JSON file."""

PEERS = {
    "Optuna TPE, ask": (
        "optuna",
        """
import json, sys, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
space = {"s": optuna.distributions.IntDistribution(1, 32)}
for run in json.load(open(sys.argv[1])):
    score = run["execution_time_s"] * run["parallelism"] ** 0.5
    study.add_trial(
        optuna.create_trial(params={"s": run["parallelism"]}, distributions=space, value=score)
    )
study.ask(space)
""",
    ),
    "Optuna GPSampler, ask": (
        "optuna",
        """
import json, sys, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(sampler=optuna.samplers.GPSampler(seed=1))
space = {"s": optuna.distributions.IntDistribution(1, 32)}
for run in json.load(open(sys.argv[1])):
    score = run["execution_time_s"] * run["parallelism"] ** 0.5
    study.add_trial(
        optuna.create_trial(params={"s": run["parallelism"]}, distributions=space, value=score)
    )
study.ask(space)
""",
    ),
    "Ax, get_next_trials": (
        "ax",
        """
import json, logging, sys
logging.disable(logging.WARNING)
from ax import Client, RangeParameterConfig
client = Client(random_seed=1)
client.configure_experiment(
    parameters=[RangeParameterConfig(name="s", parameter_type="int", bounds=(1, 32))]
)
client.configure_optimization(objective="-score")
for run in json.load(open(sys.argv[1])):
    index = client.attach_trial(parameters={"s": run["parallelism"]})
    score = run["execution_time_s"] * run["parallelism"] ** 0.5
    client.complete_trial(index, raw_data={"score": score})
client.get_next_trials(max_trials=1)
""",
    ),
    "scikit-learn GP, fit and expected improvement": (
        "sklearn",
        """
import json, sys
import numpy as np
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
runs = json.load(open(sys.argv[1]))
X = np.log([[run["parallelism"], run["input_size"]] for run in runs])
y = np.log([run["execution_time_s"] * run["parallelism"] ** 0.5 for run in runs])
kernel = ConstantKernel() * Matern([1.0, 1.0], nu=2.5) + WhiteKernel()
model = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=1)
model.fit(X, y)
mean, std = model.predict(np.log([[s, 1.0] for s in range(1, 33)]), return_std=True)
gain = (y.min() - mean) / std
np.argmax(std * (gain * norm.cdf(gain) + norm.pdf(gain)))
""",
    ),
}
"""What each peer is called, the package that it needs, and its program."""
