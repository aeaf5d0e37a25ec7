"""The benchmarks run, and RESULTS.md contains their rows."""

import os
import re
import subprocess
import sys

from conftest import ROOT


def bench(folder, *arguments):
    command = [sys.executable, ROOT / "tests" / "benchmarks" / "bench.py", "--quick", *arguments]
    return subprocess.run(command, env=os.environ | {"BENCH": str(folder)}, capture_output=True, text=True)


def test_a_benchmark_becomes_a_row_and_the_others_keep_theirs(tmp_path):
    assert [bench(tmp_path, name).returncode for name in ("em", "mig")] == [0, 0]
    page = (tmp_path / "RESULTS.md").read_text()
    rows = re.findall(r"^\| (a round of EM|MIG of).* \*\*(\d+\.\d\d)\*\* \| (\S+)–(\S+) \| 2 \| ", page, re.MULTILINE)
    assert [name for name, *_ in rows] == ["a round of EM", "MIG of"]
    assert all(0 < float(least) <= float(ratio) <= float(most) for _, ratio, least, most in rows)


def test_a_benchmark_that_does_not_exist_is_named(tmp_path):
    run = bench(tmp_path, "emm")
    assert run.returncode == 1 and "no benchmark emm; choose among training, em," in run.stderr
