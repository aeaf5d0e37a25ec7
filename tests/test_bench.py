"""The benchmarks run, and RESULTS.md contains their rows."""

import os
import re
import subprocess
import sys

from conftest import ROOT


def test_benchmarks_become_rows_and_each_keeps_those_of_the_others(tmp_path):
    for name in ("em", "mig"):
        command = [sys.executable, ROOT / "tests" / "benchmarks" / "bench.py", "--quick", name]
        subprocess.run(command, env=os.environ | {"BENCH": str(tmp_path)}, check=True)
    page = (tmp_path / "RESULTS.md").read_text()
    rows = re.findall(r"^\| (an iteration of EM|MIG).* \*\*(\d+\.\d\d)\*\* \| (\S+)–(\S+) \| 2 \| ", page, re.MULTILINE)
    assert [name for name, *_ in rows] == ["an iteration of EM", "MIG"]
    assert all(0 < float(least) <= float(ratio) <= float(most) for _, ratio, least, most in rows)
