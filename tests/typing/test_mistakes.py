"""That type checkers find the mistakes in `wrong_calls.py`, line by line."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
ERROR = re.compile(r"wrong_calls\.py:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)
MARK = re.compile(r"  # type: ignore\[(.+)\]")


def test_mypy_finds_every_mistake_and_nothing_else(tmp_path: Path) -> None:
    marked = (HERE / "wrong_calls.py").read_text(encoding="utf-8").splitlines()
    bare = tmp_path / "wrong_calls.py"
    bare.write_text("\n".join(MARK.sub("", line) for line in marked), encoding="utf-8")
    expected = {
        (number, found[1]) for number, line in enumerate(marked, 1) if (found := MARK.search(line))
    }

    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-pretty", str(bare)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    errors = {(int(line), code) for line, code in ERROR.findall(checked.stdout)}
    assert errors == expected, checked.stdout
    assert len(expected) > 30
