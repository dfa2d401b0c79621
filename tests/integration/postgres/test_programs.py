"""The programs of PostgreSQL that tests start, wherever they are."""

from pathlib import Path

from tests.servers.postgres import PostgresServer, find_programs


def test_programs_that_only_root_can_reach_are_used_all_the_same(tmp_path: Path) -> None:
    # As in a clone below /root: PostgreSQL is not run by root, and who runs it must not go there.
    tmp_path.chmod(0o700)
    programs = find_programs()
    package = programs.parents[1]
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            (tmp_path / part.name).symlink_to(part)

    here = tmp_path / programs.relative_to(package.parent)
    with PostgresServer(programs=here) as server:
        answer = server.do("SELECT 1")

    assert answer == "1"
