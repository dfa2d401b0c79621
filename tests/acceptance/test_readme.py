"""The first screen of the README: its commands run its code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.program import ROOT, environment, eventually


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_first_commands_work_with_the_first_block(readme: str, tmp_path: Path) -> None:
    page = (ROOT / readme).read_text("utf-8")
    (tmp_path / "shop.py").write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0])
    worker, enqueue, look = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[0].splitlines()
    variables = environment({})
    variables["PATH"] = f"{Path(sys.executable).parent}:{variables['PATH']}"

    def out(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    running = subprocess.Popen(["sh", "-c", f"exec {worker}"], cwd=tmp_path, env=variables)
    try:
        out(enqueue)
        found = eventually(lambda: re.search(r"send_receipt .*42", out(look)), "a completed job")
    finally:
        running.terminate()

    assert found
    assert running.wait(30) == 0
