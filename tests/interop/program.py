"""How the Go programs in the folders next door are built."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

_HERE = Path(__file__).parent
_USUAL_GO = Path("/usr/local/go/bin/go")


def build(name: str, folder: Path) -> Path:
    """The program of this name, built into `folder` by whichever test process comes first."""
    go = shutil.which("go") or (str(_USUAL_GO) if _USUAL_GO.exists() else None)
    if go is None:
        _do_without("no go: install Go 1.24 or newer")
    source, binary = _HERE / name, folder / f"asynq-{name}"
    with binary.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            done = _run(go, source, "mod", "download")
            if done.returncode:
                _do_without(f"Go modules are not to be had: {done.stderr.strip()[-500:]}")
            new = binary.with_suffix(".new")
            done = _run(go, source, "build", "-buildvcs=false", "-o", str(new), ".")
            assert done.returncode == 0, done.stderr
            new.rename(binary)
    return binary


def _run(go: str, source: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([go, *arguments], cwd=source, capture_output=True, text=True)


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
