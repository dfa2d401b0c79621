"""The system's Chromium, and what goes wrong in its pages."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def chromium() -> Generator[Browser]:
    """A running Chromium; skips the test without one, or fails it where CI is set."""
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if binary is None:
        reason = "no Chromium: install the system's package chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=_OPTIONS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


class Complaints:
    """Everything that a page complains about: console, exceptions, requests, other hosts."""

    def __init__(self, page: Page, url: str) -> None:
        self.lines: list[str] = []
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.lines.append(f"exception: {error}"))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure))
        page.on("request", lambda request: self._request(request.url, url))
        page.on("response", lambda response: self._response(response.status, response.url))

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.lines.append(f"console: {text}")

    def _failed(self, url: str, failure: str | None) -> None:
        # A page that is left, as by a reload, takes its requests with it.
        if failure != "net::ERR_ABORTED":
            self.lines.append(f"failed: {url}: {failure}")

    def _request(self, asked: str, url: str) -> None:
        if not asked.startswith(url):
            self.lines.append(f"foreign: {asked}")

    def _response(self, status: int, url: str) -> None:
        if status >= 400:
            self.lines.append(f"{status}: {url}")
