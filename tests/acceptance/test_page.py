"""The page in a real browser."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.application import (
    Application,
    redis_variables,
    running,
    sqlite_variables,
)
from tests.acceptance.browser import Complaints, chromium
from tests.servers.redis import RedisServer
from webapp.service.tokens import Tokens

OTHER_JOBS = ("Weekly report reminder", "Monthly report", "Data cleanup")
SECRET = "a secret of more than thirty-two characters"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running_browser:
        yield running_browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Jobs of other tests may be in it; the page lists only those that its own browser stored."""
    folder = tmp_path_factory.mktemp("demo")
    with running(sqlite_variables(folder), folder) as application:
        yield application


@pytest.fixture
def new_demo(tmp_path: Path) -> Iterator[Application]:
    """One in which no job has run."""
    with running(sqlite_variables(tmp_path), tmp_path) as application:
        yield application


@pytest.fixture(scope="module")
def server_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """The demo's API server without a job server."""
    folder = tmp_path_factory.mktemp("server")
    with running(sqlite_variables(folder), folder, with_worker=False) as application:
        yield application


def open_page(page: Page, app: Application, query: str = "") -> Complaints:
    complaints = Complaints(page, app.url)
    page.goto(f"{app.url}/dm-jobqueue{query}")
    return complaints


def register(page: Page, *, delay: str, message: str | None = None) -> None:
    if message is not None:
        page.get_by_label("Message").fill(message)
    page.get_by_label("Delay in seconds").fill(delay)
    page.get_by_role("button", name="Register job").click()


def test_a_click_registers_a_job_which_is_seen_to_complete(page: Page, demo: Application) -> None:
    complaints = open_page(page, demo)
    expect(page.get_by_label("Message")).to_have_value("Hello, World!")
    expect(page.get_by_label("Delay in seconds")).to_have_value("180")

    register(page, delay="2")

    success = page.get_by_role("status")
    expect(success).to_contain_text(re.compile(r"Registered\. Job id: [0-9a-f-]{36}"))
    job = page.get_by_role("listitem")
    expect(job).to_contain_text("scheduled")
    expect(job).to_contain_text(re.compile(r"in 00:0[12]"))
    expect(job).to_contain_text("completed")
    demo.worker.prints(r"^\[.*\] Hello, World!$")
    assert complaints.lines == []


def test_the_list_survives_a_reload_and_goes_on(page: Page, demo: Application) -> None:
    complaints = open_page(page, demo)
    register(page, delay="3", message="first")
    expect(page.get_by_role("listitem")).to_have_count(1)
    register(page, delay="500", message="second")
    expect(page.get_by_role("listitem")).to_have_count(2)

    page.reload()

    jobs = page.get_by_role("listitem")
    expect(jobs.nth(0)).to_contain_text("second")
    expect(jobs.nth(0)).to_contain_text("in 08:")
    expect(jobs.nth(1)).to_contain_text("completed")
    assert complaints.lines == []


def test_the_list_can_be_cleared(page: Page, server_only: Application) -> None:
    open_page(page, server_only)
    register(page, delay="500")

    page.get_by_role("button", name="Clear list").click()

    expect(page.get_by_text("None yet.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_a_message_is_shown_as_text(page: Page, server_only: Application) -> None:
    complaints = open_page(page, server_only)

    register(page, delay="500", message="<img src=x onerror=alert(1)>")

    expect(page.get_by_role("listitem")).to_contain_text("<img src=x onerror=alert(1)>")
    assert complaints.lines == []


def test_a_bad_delay_is_refused_by_the_form(page: Page, server_only: Application) -> None:
    complaints = open_page(page, server_only)

    register(page, delay="-1")

    expect(page.locator("input:invalid")).to_have_count(1)
    expect(page.get_by_text("None yet.")).to_be_visible()
    assert complaints.lines == []


def test_without_a_job_server_the_page_says_what_is_missing(
    page: Page, server_only: Application
) -> None:
    open_page(page, server_only)

    register(page, delay="0")

    expect(page.get_by_text("Is the job server running?")).to_be_visible()


def test_an_api_server_that_is_down_is_shown_as_an_error(page: Page, tmp_path: Path) -> None:
    with running(sqlite_variables(tmp_path), tmp_path, with_worker=False) as app:
        open_page(page, app)
        app.server.send(signal.SIGTERM)
        app.server.ended()

        register(page, delay="1")

        expect(page.get_by_role("alert")).to_contain_text("The API server cannot be reached")
        expect(page.get_by_text("None yet.")).to_be_visible()


def test_redis_down_is_shown_as_an_error_and_passes(page: Page, tmp_path: Path) -> None:
    with (
        RedisServer() as redis,
        running(redis_variables(redis.port), tmp_path, with_worker=False) as app,
    ):
        open_page(page, app)
        redis.stop()
        register(page, delay="500")
        expect(page.get_by_role("alert")).to_contain_text("The job store cannot be reached")

        redis.restart()
        app.server.says("is back after")
        register(page, delay="500")

        expect(page.get_by_role("status")).to_contain_text("Registered")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_too_many_requests_are_shown_with_the_time_to_wait(
    browser: Browser, page: Page, tmp_path: Path
) -> None:
    variables = {**sqlite_variables(tmp_path), "RATE_LIMIT__WRITES": "1/minute"}
    with running(variables, tmp_path, with_worker=False) as app:
        open_page(page, app)
        register(page, delay="500")
        expect(page.get_by_role("status")).to_contain_text("Registered")

        register(page, delay="500")

        said = r"Too many requests in a short time\. Try again in \d+ s\."
        expect(page.get_by_role("alert")).to_contain_text(re.compile(said))
        expect(page.get_by_role("listitem")).to_have_count(1)
        with browser.new_context(locale="ja-JP") as context:
            japanese = context.new_page()
            open_page(japanese, app)
            japanese.get_by_role("button", name="ジョブを登録").click()
            said = r"リクエストが集中しました。\d+ 秒後にもう一度お試しください。"
            expect(japanese.get_by_role("alert")).to_contain_text(re.compile(said))


def test_a_page_that_asks_too_often_says_so_and_waits(page: Page, tmp_path: Path) -> None:
    variables = {**sqlite_variables(tmp_path), "RATE_LIMIT__READS": "3/hour"}
    with running(variables, tmp_path, with_worker=False) as app:
        page.clock.install()
        complaints = open_page(page, app)
        register(page, delay="0")
        expect(page.get_by_text("States cannot be updated right now").first).to_be_visible()
        asked = len(complaints.lines)

        for _ in range(6):
            page.clock.run_for(6_000)
            assert app.get("/readyz", headers={}).status_code == 200

        # Two questions at most were under way; the next ones wait for as long as they were told.
        assert len(complaints.lines) <= asked + 4
        expect(page.get_by_text("States cannot be updated right now").first).to_be_visible()


def test_the_page_renews_its_token_in_time(page: Page, tmp_path: Path) -> None:
    variables = {**sqlite_variables(tmp_path), "AUTH__PAGE_TOKEN_SECONDS": "30"}
    with running(variables, tmp_path, with_worker=False) as app:
        page.clock.install()
        complaints = open_page(page, app)
        page.clock.fast_forward(25_000)

        with page.expect_request("**/dm-jobqueue/token"):
            register(page, delay="500")

        expect(page.get_by_role("status")).to_contain_text("Registered")
        assert complaints.lines == []


def test_in_production_the_page_asks_for_a_token(page: Page, tmp_path: Path) -> None:
    variables = {
        **sqlite_variables(tmp_path),
        "APP_ENV": "production",
        "AUTH__SECRET": SECRET,
        "JOBQUEUE__STORE": "sqlite",
        "SERVER__HOST": "127.0.0.1",
    }
    with running(variables, tmp_path, with_worker=False) as app:
        assert app.get("/dm-jobqueue/token").status_code in (404, 405)
        open_page(page, app)

        page.get_by_label("Token").fill(Tokens(SECRET).issue("test", -1))
        register(page, delay="500")
        expect(page.get_by_role("alert")).to_contain_text("missing, wrong or expired")
        page.get_by_label("Token").fill(Tokens(SECRET).issue("test", 60))
        page.get_by_role("button", name="Register job").click()

        expect(page.get_by_role("status")).to_contain_text("Registered")
        page.reload()
        expect(page.get_by_role("listitem")).to_contain_text("scheduled")


def test_the_page_speaks_japanese(browser: Browser, server_only: Application) -> None:
    with browser.new_context(locale="ja-JP") as context:
        page = context.new_page()
        complaints = open_page(page, server_only)

        page.get_by_role("button", name="ジョブを登録").click()

        expect(page.get_by_role("status")).to_contain_text("登録しました")
        expect(page.get_by_role("listitem")).to_contain_text("予約済み")
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Run a job later")
        assert complaints.lines == []


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_cut_off_at_any_width(page: Page, server_only: Application, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, server_only)
    register(page, delay="500", message="x" * 300)
    expect(page.get_by_role("listitem")).to_be_visible()

    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )

    assert overflow == 0


def test_each_other_job_is_run_by_its_button_and_shows_what_came_of_it(
    page: Page, new_demo: Application
) -> None:
    complaints = open_page(page, new_demo)
    jobs = {name: page.get_by_role("article", name=name) for name in OTHER_JOBS}

    for job in jobs.values():
        job.get_by_role("button", name="Run now").click()

    expect(jobs["Weekly report reminder"]).to_contain_text(re.compile(r"\d+ to be mailed"))
    expect(jobs["Monthly report"]).to_contain_text(re.compile(r"\d+ of \d+ handed in"))
    cleanup = jobs["Data cleanup"]
    expect(cleanup.get_by_role("progressbar")).to_be_visible()
    expect(cleanup).to_contain_text(re.compile(r"\d+ logs older than 90 days deleted"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    mail = page.get_by_role("group").first
    mail.locator("summary").click()
    expect(mail.get_by_text("Please hand it in")).to_be_visible()
    assert complaints.lines == []


def test_a_message_can_be_printed_at_once(page: Page, demo: Application) -> None:
    complaints = open_page(page, demo)
    page.get_by_label("Message").fill("right now")

    page.get_by_role("form", name="New job").get_by_role("button", name="Run now").click()

    expect(page.get_by_role("listitem")).to_contain_text("completed")
    demo.worker.prints(r"right now$")
    assert complaints.lines == []


def test_the_other_jobs_are_run_with_the_keyboard_alone(
    page: Page, server_only: Application
) -> None:
    complaints = open_page(page, server_only)
    job = page.get_by_role("article", name="Data cleanup")
    job.get_by_label("Older than").focus()

    page.keyboard.press("Control+A")
    page.keyboard.type("30")
    page.keyboard.press("Enter")

    expect(job).to_contain_text("pending")
    expect(job).to_contain_text("days: 30")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(job).to_contain_text("waiting or running already")
    assert complaints.lines == []


def test_the_other_jobs_speak_japanese(browser: Browser, new_demo: Application) -> None:
    with browser.new_context(locale="ja-JP") as context:
        page = context.new_page()
        complaints = open_page(page, new_demo)
        job = page.get_by_role("article", name="月次レポート")

        job.get_by_role("button", name="今すぐ実行").click()

        expect(job).to_contain_text("完了")
        expect(job.get_by_role("button", name="PDF をダウンロード")).to_be_visible()
        assert complaints.lines == []


@pytest.mark.parametrize("width", [320, 1280])
def test_no_run_is_cut_off_at_any_width(page: Page, demo: Application, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, demo)
    for name in OTHER_JOBS:
        page.get_by_role("article", name=name).get_by_role("button", name="Run now").click()
    expect(page.get_by_role("button", name="Download the CSV")).to_be_visible()
    expect(page.get_by_role("group").first).to_be_visible()

    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )

    assert overflow == 0
