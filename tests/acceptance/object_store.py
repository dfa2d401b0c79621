"""A real S3 server in this process, which answers or waits as a test wants."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

import boto3  # type: ignore[import-untyped]
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

BUCKET = "reports"
ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"


class ObjectStore:
    """One server on a free port of the loopback, with one bucket."""

    def __init__(self, bucket: str = BUCKET) -> None:
        self._bucket = bucket
        self.status = 0
        """What every upload is answered, if not 0."""
        self.opens = threading.Event()
        """While it is not set, uploads of `.pdf` wait."""
        self.opens.set()
        self.uploads: list[str] = []
        """Paths of all uploads that have arrived."""
        self._backend: Any = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # It looks that often whether it is to end; by default half a second passes.
        serve = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        serve.start()

    def __enter__(self) -> Self:
        self._client().create_bucket(Bucket=self._bucket)
        return self

    def __exit__(self, *_: object) -> None:
        self.opens.set()
        client = self._client()
        for key in self.keys():
            client.delete_object(Bucket=self._bucket, Key=key)
        client.delete_bucket(Bucket=self._bucket)
        self._server.shutdown()
        self._server.server_close()

    def keys(self) -> list[str]:
        """Keys of all files."""
        listed = self._client().list_objects_v2(Bucket=self._bucket)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def file(self, key: str) -> tuple[str, bytes]:
        """Content type and content of a file."""
        found = self._client().get_object(Bucket=self._bucket, Key=key)
        return found["ContentType"], found["Body"].read()

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].count("/") > 1:
            self.uploads.append(environ["PATH_INFO"])
            if environ["PATH_INFO"].endswith(".pdf"):
                self.opens.wait(30)
            if self.status:
                return Response("", self.status)(environ, start_response)
        answer: Iterable[bytes] = self._backend(environ, start_response)
        return answer

    def _client(self) -> Any:
        aws: Any = boto3  # It has no types.
        return aws.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
