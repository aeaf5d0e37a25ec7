"""That the benchmarks run, and that the page has what they found; what they find on a busy machine says nothing."""

import os
import re
import subprocess
import sys

from conftest import ROOT

BENCH = ROOT / "tests" / "benchmarks" / "bench.py"


def bench(folder, *arguments):
    command = [sys.executable, BENCH, "--quick", *arguments]
    return subprocess.run(command, env=os.environ | {"BENCH": str(folder)}, capture_output=True, text=True)


def test_a_measurement_becomes_a_row_and_the_others_keep_theirs(tmp_path):
    assert bench(tmp_path, "em").returncode == 0
    assert bench(tmp_path, "mig").returncode == 0
    page = (tmp_path / "RESULTS.md").read_text()
    rows = re.findall(r"^\| (a round of EM|MIG of).* \*\*(\d+\.\d\d)\*\* \| (\S+)–(\S+) \| 2 \| ", page, re.MULTILINE)
    assert [name for name, *_ in rows] == ["a round of EM", "MIG of"]
    for _, ratio, least, most in rows:
        assert 0 < float(least) <= float(ratio) <= float(most)


def test_a_measurement_that_does_not_exist_is_named(tmp_path):
    run = bench(tmp_path, "emm")
    assert run.returncode == 1
    assert "no measurement emm; choose among training, em," in run.stderr
