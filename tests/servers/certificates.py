"""An authority of our own and what it has signed, made with the `openssl` command."""

import shutil
import subprocess
from pathlib import Path

import pytest


class Certificates:
    """In a folder: `ca.crt`, and a certificate with its key for the server and for a client."""

    def __init__(self, folder: Path, name: str = "IP:127.0.0.1") -> None:
        """`name` is what the server is called in its certificate."""
        if not shutil.which("openssl"):
            pytest.skip("no openssl command")
        self._folder = folder
        self.authority = folder / "ca.crt"
        self._openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=test authority"),
            *("-keyout", "ca.key", "-out", "ca.crt"),
        )
        self._sign("server", f"subjectAltName={name}")
        self._sign("client", "extendedKeyUsage=clientAuth")

    @property
    def server_options(self) -> tuple[str, ...]:
        """For redis-server; clients need no certificate unless told otherwise."""
        return (
            *("--tls-cert-file", str(self._folder / "server.crt")),
            *("--tls-key-file", str(self._folder / "server.key")),
            *("--tls-ca-cert-file", str(self.authority), "--tls-auth-clients", "no"),
        )

    @property
    def client_query(self) -> str:
        """What a URL says to show the client's certificate."""
        return f"ssl_certfile={self._folder}/client.crt&ssl_keyfile={self._folder}/client.key"

    def _sign(self, who: str, extension: str) -> None:
        (self._folder / "extension").write_text(extension)
        self._openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", f"/CN={who}", "-keyout", f"{who}.key", "-out", f"{who}.csr"),
        )
        self._openssl(
            *("x509", "-req", "-in", f"{who}.csr", "-CA", "ca.crt", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-days", "2", "-extfile", "extension", "-out", f"{who}.crt"),
        )

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)
