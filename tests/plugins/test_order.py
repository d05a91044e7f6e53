"""Tests of one group are run by one process, whatever others do."""

import os
import subprocess
import sys
from pathlib import Path

from tests.plugins.environment import ROOT, SHARED

TESTS = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("group", [pytest.param(g, marks=pytest.mark.xdist_group(g)) for g in "ab"])
def test_one(group, number):
    with (pathlib.Path(__file__).parent / group).open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_a_group_stays_together(tmp_path: Path) -> None:
    (tmp_path / "test_groups.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    xdist_group\n    slow\n")
    words = ["-m", "pytest", "-q", "-n", "2", "--dist", "loadscope", "-p", "tests.plugins.order"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    done = subprocess.run(
        [sys.executable, *words, "-p", "no:django", "-p", "no:cacheprovider", "test_groups.py"],
        cwd=tmp_path,
        env={**ours, SHARED: str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for group in "ab":
        processes = (tmp_path / group).read_text().split()
        assert (len(processes), len(set(processes))) == (6, 1), group
