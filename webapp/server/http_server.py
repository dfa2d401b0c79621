"""uvicorn as we want it: logs to standard error, and one line that says where it listens."""

import logging
import socket

import uvicorn
from fastapi import FastAPI

from webapp.server.security_headers import SecurityHeaders
from webapp.settings import Settings
from webapp.settings.choices import LogLevel

logger = logging.getLogger("webapp.server")


class HttpServer(uvicorn.Server):
    """Serves one app until SIGINT or SIGTERM."""

    def __init__(self, app: FastAPI, settings: Settings, store: str) -> None:
        super().__init__(
            uvicorn.Config(
                SecurityHeaders(app),
                host=settings.server.host,
                port=settings.server.port,
                log_config=None,
                # The page asks twice a second how its jobs stand.
                access_log=settings.log.level is LogLevel.DEBUG,
                lifespan="off",
                # Who asks, and whether by https, is taken from these proxies' words only.
                proxy_headers=bool(settings.server.trusted_proxies),
                forwarded_allow_ips=[*settings.server.trusted_proxies],
                server_header=False,
                timeout_graceful_shutdown=30,
            )
        )
        self._settings = settings
        self._store = store

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        host = self._settings.server.host
        logger.info(
            "API server (%s) listens on http://%s:%d (page: /dm-jobqueue) and stores jobs in %s",
            self._settings.environment,
            f"[{host}]" if ":" in host else host,
            port,
            self._store,
        )
