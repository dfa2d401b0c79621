"""Files of reports in a real S3 server and in a folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.object_store import ACCESS_KEY, BUCKET, SECRET_KEY, ObjectStore
from tests.servers.redis import free_port
from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.object_report_files import (
    ObjectReportFiles,
    folder_report_files,
    s3_report_files,
)


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


def bucket(url: str, name: str = BUCKET) -> ObjectReportFiles:
    return s3_report_files(
        name, url=url, region="us-east-1", access_key=ACCESS_KEY, secret_key=SECRET_KEY
    )


async def test_a_file_is_replaced_and_comes_back(store: ObjectStore) -> None:
    files = bucket(store.url)

    await files.put("monthly/a.csv", b"old", "text/csv")
    await files.put("monthly/a.csv", b"new", "text/csv")

    assert await files.get("monthly/a.csv") == b"new"
    assert await files.get("monthly/b.csv") is None
    assert store.file("monthly/a.csv") == ("text/csv", b"new")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_what_may_pass_is_a_passing_failure(store: ObjectStore, status: int) -> None:
    store.status = status

    with pytest.raises(TransientFailure, match=f"Bucket 'reports' at {store.url}: .*{status}"):
        await bucket(store.url).put("a", b"", "text/csv")

    assert len(store.uploads) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_is_for_good(store: ObjectStore, status: int) -> None:
    store.status = status

    with pytest.raises(PermanentFailure) as caught:
        await bucket(store.url).put("a", b"", "text/csv")

    assert "\n" not in str(caught.value)
    assert SECRET_KEY not in str(caught.value)


async def test_a_bucket_that_does_not_exist_is_a_refusal(store: ObjectStore) -> None:
    with pytest.raises(PermanentFailure, match="nowhere"):
        await bucket(store.url, "nowhere").put("a", b"", "text/csv")


async def test_a_store_that_is_down_is_a_passing_failure() -> None:
    with pytest.raises(TransientFailure):
        await bucket(f"http://127.0.0.1:{free_port()}").put("a", b"", "text/csv")


async def test_without_keys_and_url_it_is_amazons_with_the_machines_role() -> None:
    files = s3_report_files("reports", url="", region="us-east-1", access_key="", secret_key="")

    assert isinstance(files, ObjectReportFiles)


async def test_a_folder_does_the_same(tmp_path: Path) -> None:
    files = folder_report_files(tmp_path / "reports")

    await files.put("monthly/a.csv", b"old", "text/csv")
    await files.put("monthly/a.csv", b"new", "text/csv")

    assert await files.get("monthly/a.csv") == b"new"
    assert await files.get("monthly/b.csv") is None
    assert [path.name for path in (tmp_path / "reports" / "monthly").iterdir()] == ["a.csv"]


@pytest.mark.parametrize("key", ["../secret", "monthly/../../secret", "/etc/passwd"])
async def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_text("secret")
    files = folder_report_files(tmp_path / "reports")

    try:
        found = await files.get(key)
    except PermanentFailure:
        return
    assert found is None
