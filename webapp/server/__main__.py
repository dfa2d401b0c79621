"""`python -m webapp.server`: serve the API and the page until SIGINT or SIGTERM."""

import asyncio
import sys

from atode import AtodeError, run
from atode.observe.observatory import Observatory
from webapp.log import log_to_standard_error
from webapp.server.app import create_app
from webapp.server.http_server import HttpServer
from webapp.server.observation import observation_routes
from webapp.service.failure import TransientFailure
from webapp.settings import Settings, SettingsError, load_settings
from webapp.signals import exit_cleanly_on_signals
from webapp.wiring import prepare, store_name, wire


def main() -> None:
    """Load the settings and serve; exits with 0 after a clean stop."""
    exit_cleanly_on_signals()
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(str(error))
    log_to_standard_error(settings.log)
    try:
        run(_serve(settings))
    except (AtodeError, OSError) as error:
        sys.exit(f"The API server cannot use {store_name(settings)}: {error}")
    except TransientFailure as error:
        sys.exit(f"The API server cannot prepare its database: {error}")


async def _serve(settings: Settings) -> None:
    wiring = wire(settings)
    async with wiring.database:
        await prepare(settings, wiring)
        async with wiring.jobs:
            watching = [asyncio.create_task(watch()) for watch in wiring.watches]
            try:
                app = create_app(settings, wiring.use_cases, wiring.tokens, wiring.rate_limiter)
                app.include_router(observation_routes(Observatory(wiring.jobs)))
                await HttpServer(app, settings, store_name(settings)).serve()
            finally:
                for task in watching:
                    task.cancel()
                await wiring.rate_limiter.close()


if __name__ == "__main__":
    main()
