# Thin: what to do is in pyproject.toml, in the programs and in the tests.

PYTHON ?= python3
STORE ?= sqlite:///demo/arbo.db
RUNS ?= 12
# What the default is chosen among, in docs/benchmarks.md.
SETTINGS := arbo,arbo:expected_cost,arbo:expected_improvement,arbo:lcb,arbo:thompson,arbo:usl,arbo:ernest,arbo:auto,arbo:additive
BIN := .venv/bin
SPACE := $() $()
# Programs that tests of their own need.
MISSING := $(strip $(foreach name,prometheus pgbouncer chromium,$(if $(shell command -v $(name) 2> /dev/null),,$(name))))
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-e2e check bench-quick bench-docs bench-cold bench-latency bench-fleet bench-troubled bench-sensitivity bench-original bench-calibration bench-worker-types chaos statements bench-store bench-history bench-airflow soak clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */	/' | expand -t 16

.venv/.installed: pyproject.toml constraints.txt
	@echo "setting up .venv (a few minutes the first time, torch is large)" >&2
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) -e .
	@touch $@

.venv/.installed-dev: .venv/.installed
	@echo "installing the development extras" >&2
	@$(PIP) -e '.[dev]'
	@touch $@

demo/genome.vcf: .venv/.installed examples/genome/generate_vcf.py
	@mkdir -p demo
	$(BIN)/python examples/genome/generate_vcf.py --output $@ --megabytes 150 --samples 2504 --seed 1

demo: demo/genome.vcf  ## tune a real parallel program on this machine (STORE=URL for another database)
	$(BIN)/arbo tune frequency_ALL --store '$(STORE)' --parallelism 1:8 --default 4 --runs $(RUNS) -- \
	  $(BIN)/python examples/genome/frequency.py --vcf demo/genome.vcf --population ALL \
	  --chunk-id {chunk_id} --chunks {chunks} --output demo/frequency

test: .venv/.installed-dev  ## run the whole test suite, a real PostgreSQL and a real Airflow included
	$(BIN)/pytest -n 2 $(if $(MISSING),$(warning not here, and so are their tests left out: apt-get install $(MISSING))-m 'not ($(subst $(SPACE), or ,$(MISSING)))')
	$(MAKE) test-e2e

# Processes of their own: importing Airflow changes warnings, pickling and logging.
test-e2e: .venv/.installed-dev  ## the part of the test suite that needs Airflow
	$(BIN)/pytest tests/integrations/airflow
	$(BIN)/pytest tests/e2e

check: .venv/.installed-dev  ## lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

statements: .venv/.installed-dev  ## compile the store's SQL anew after a change of its tables or statements
	$(BIN)/python -m arbo_bo.storage.statements

bench-quick: .venv/.installed-dev  ## arbo beside what people would use instead, in under two minutes
	$(BIN)/arbo bench run --suite quick --seeds 1 --out demo/quick-$$(date +%s)

bench-docs: .venv/.installed-dev  ## measure everything and write docs/benchmarks.md (an hour or two; ARBO_BENCH_DATA)
	$(BIN)/arbo bench run --suite all --policies all --out demo/bench/all
	$(BIN)/arbo bench run --suite scout,multicloud,synthetic --tasks 10 --seeds 1 --runs 30 --out demo/bench/long
	$(BIN)/arbo bench run --suite genome,archer2,stereomatch,scout,multicloud --seeds 1 \
	  --policies '$(SETTINGS),online,ernest,gp-ei' --out demo/bench/settings
	$(BIN)/arbo bench run --suite trial --policies ernest,online,gp-ei --out demo/bench/trial
	$(BIN)/arbo bench report demo/bench/all demo/bench/long demo/bench/settings demo/bench/trial --output docs/benchmarks.md

bench-cold: .venv/.installed-dev  ## time and memory of one command or decision in a fresh process, beside peers
	$(BIN)/python perf/cold.py

bench-latency: .venv/.installed-dev  ## processor time of a warm decision and its parts, beside BoTorch's own fit
	$(BIN)/python perf/latency.py

bench-fleet: .venv/.installed-dev  ## a night of 1,000 tasks decided and completed in one process
	$(BIN)/python perf/fleet.py

bench-troubled: .venv/.installed-dev  ## twenty jobs that fail: failed nights and cost over an oracle's
	$(BIN)/python perf/troubled.py

bench-sensitivity: .venv/.installed-dev  ## regret with each constant halved and doubled (ARBO_BENCH_DATA)
	$(BIN)/python perf/sensitivity.py

bench-store: .venv/.installed-dev  ## arbo's store beside Optuna's and Ax's (pip install ax-platform) on one PostgreSQL
	$(BIN)/python perf/store.py

bench-history: .venv/.installed-dev  ## suggest and complete with a million trials in the store
	$(BIN)/python perf/history.py

chaos: .venv/.installed-dev  ## faults while many processes write: what was acknowledged, what was lost
	$(BIN)/python perf/chaos.py

bench-original: .venv/.installed-dev  ## how many decisions each departure of the original algorithm from its study changes
	$(BIN)/python perf/original.py

bench-worker-types: .venv/.installed-dev  ## machine type and count chosen on measured clusters, beside peers (ARBO_BENCH_DATA)
	$(BIN)/python perf/worker_types.py

bench-calibration: .venv/.installed-dev  ## whether intervals and deadlines hold on simulated tasks (half an hour)
	$(BIN)/python perf/calibration.py

bench-airflow: .venv/.installed-dev  ## time what arbo adds to an Airflow plan task
	$(BIN)/python perf/airflow_plan.py

soak: .venv/.installed-dev  ## 200 stages under a real Airflow, some killed or failing: none lost, none twice
	$(BIN)/pytest -s tests/e2e/airflow/soak.py

clean:  ## remove the environment and what the demo made
	rm -rf .venv demo
