"""The clocks of the measuring programs."""

import subprocess
from pathlib import Path

import measuring
import pytest
from measuring import Cost, cost_of, python

PERF = str(Path(measuring.__file__).parent)


def test_memory_of_a_process_is_counted():
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from measuring import cost_of, python
small, large = cost_of(python("pass")), cost_of(python("x = bytearray(2**27)"))
print(large.peak_mb - small.peak_mb)
"""
    # From a small process: the kernel counts what the one that starts another held as its own.
    found = subprocess.run(python(program, PERF), capture_output=True, text=True, check=True)
    assert float(found.stdout) == pytest.approx(2**27 / 1e6, rel=0.1)


def test_time_of_a_process_includes_its_children():
    busy = "sum(range(20_000_000))"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{busy}'])"
    idle = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'])"
    assert cost_of(python(child)).cpu_s > cost_of(python(idle)).cpu_s


def test_failure_is_raised_with_what_the_process_said():
    with pytest.raises(RuntimeError, match="no such thing"):
        cost_of(python("raise SystemExit('no such thing')"))


def test_quantities_have_medians_of_their_own():
    costs = [Cost(1.0, 30.0), Cost(2.0, 10.0), Cost(3.0, 20.0)]
    assert Cost.median(costs) == Cost(2.0, 20.0)


def test_history_is_the_same_for_the_same_seed():
    assert measuring.history(3) == measuring.history(3) != measuring.history(4)


def test_actions_are_measured_in_turns_and_tidied_up_after():
    said = []
    one, other = (lambda: said.append("one")), (lambda: said.append("other"))
    times = measuring.cpu_ms([(one, lambda: said.append("tidy")), (other, lambda: None)], 2)
    assert said == ["one", "tidy", "other"] * 3
    assert [len(taken) for taken in times] == [2, 2]
