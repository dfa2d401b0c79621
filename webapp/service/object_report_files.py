"""Files of reports in S3-compatible storage, or in a folder."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore import get_async, put_async
from obstore.exceptions import (
    BaseError,
    GenericError,
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

if TYPE_CHECKING:
    from obstore.store import S3Config

from webapp.service.failure import PermanentFailure, TransientFailure

# A bucket that does not exist is a file that is not found.
_REFUSALS = (
    FileNotFoundError,
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
    ValueError,  # a key such as `../a`
)
# RFC 9110: a request that came too late, and one too many, may be sent again as they are.
_PASSING = {"408", "429"}
_TIMEOUT = timedelta(seconds=60)
_CONNECT_TIMEOUT = timedelta(seconds=5)


class ObjectReportFiles:
    """One store, told to operators by `name`."""

    def __init__(self, store: S3Store | LocalStore, name: str) -> None:
        self._store = store
        self._name = name

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        # A folder has no place for attributes.
        is_local = isinstance(self._store, LocalStore)
        attributes = None if is_local else {"Content-Type": content_type}
        with self._failures():
            await put_async(self._store, key, content, attributes=attributes)

    async def get(self, key: str) -> bytes | None:
        with self._failures():
            try:
                found = await get_async(self._store, key)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    @contextmanager
    def _failures(self) -> Generator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            # What follows the first line is for those who mend the library.
            text = f"{self._name}: {str(error).partition(chr(10))[0].rstrip(': ')}"
            if isinstance(error, _REFUSALS) or _is_refused(error):
                raise PermanentFailure(text) from error
            raise TransientFailure(text) from error


def _is_refused(error: Exception) -> bool:
    status = re.search(r"status code: (4\d\d)", str(error))
    return isinstance(error, GenericError) and bool(status) and status[1] not in _PASSING  # type: ignore[index]


def s3_report_files(
    bucket: str, *, url: str, region: str, access_key: str, secret_key: str
) -> ObjectReportFiles:
    """Files in a bucket; without `url` at Amazon's, without keys as the machine's role."""
    config: S3Config = {"region": region}
    if url:
        config["endpoint"] = url
    if access_key:
        config |= {"access_key_id": access_key, "secret_access_key": secret_key}
    store = S3Store(
        bucket,
        config=config,
        # Servers other than Amazon's rarely have a name for each bucket.
        virtual_hosted_style_request=not url,
        client_options={
            "allow_http": url.startswith("http://"),
            "timeout": _TIMEOUT,
            "connect_timeout": _CONNECT_TIMEOUT,
        },
        # The job is what is tried again, with a reason that everybody can see.
        retry_config={"max_retries": 0},
    )
    return ObjectReportFiles(store, f"Bucket {bucket!r} at {url or 'Amazon S3'}")


def folder_report_files(folder: Path) -> ObjectReportFiles:
    """Files in a folder, which is made when it is needed."""
    folder.mkdir(parents=True, exist_ok=True)
    return ObjectReportFiles(LocalStore(folder), f"Folder {folder}")
