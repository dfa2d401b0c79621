"""The dashboard, the alerts and the autoscaler ask for what a worker really tells."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import pytest
import yaml
from promql_parser import AggregateExpr, BinaryExpr, Call, MatrixSelector, VectorSelector

from atode import Atode
from atode.observe.observatory import Observatory
from tests.exposition import Exposition, read
from tests.integration.stage import working

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCS = [Path(__file__).parents[2] / "docs" / language / "Metrics.md" for language in ("en", "ja")]

# What Prometheus adds to every sample it scrapes.
OF_TARGETS = {"instance", "job"}


class Query(NamedTuple):
    """An expression, and the names by which its result is shown."""

    place: str
    expression: str
    shown: frozenset[str]


def alerts() -> Iterator[Query]:
    document: Any = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            texts = json.dumps(rule["annotations"])
            shown = frozenset(re.findall(r"\$labels\.(\w+)", texts))
            yield Query(rule["alert"], rule["expr"], shown)


def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana" / "atode.json").read_text("utf-8"))


def panels() -> Iterator[Query]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            shown = frozenset(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            yield Query(panel["title"], _filled(target["expr"]), shown)


def _filled(expression: str) -> str:
    """With values for Grafana's own variables."""
    expression = re.sub(r"\$__(rate_interval|range|interval)", "5m", expression)
    return re.sub(r"\$(queue|job_type)", ".*", expression)


def autoscaler() -> Iterator[Query]:
    path = DEPLOY / "kubernetes" / "autoscaler" / "scaledobject.yaml"
    document: Any = yaml.safe_load(path.read_text("utf-8"))
    for trigger in document["spec"]["triggers"]:
        yield Query(f"autoscaler {trigger['type']}", trigger["metadata"]["query"], frozenset())


QUERIES = [*alerts(), *panels(), *autoscaler()]
every_query = pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)


def nodes(expression: Any) -> Iterator[Any]:
    """An expression and all that it is made of."""
    found: list[Any] = []
    promql_parser.walk(expression, found.append)
    return iter(found)


def selectors(expression: Any) -> Sequence[VectorSelector]:
    return [node for node in nodes(expression) if isinstance(node, VectorSelector)]


def grouping(expression: Any) -> set[str]:
    """Labels by which the parts of an expression are grouped or matched."""
    found: set[str] = set()
    for node in nodes(expression):
        if isinstance(node, AggregateExpr) and node.modifier:
            found |= set(node.modifier.labels)
        if isinstance(node, BinaryExpr) and node.modifier and node.modifier.matching:
            found |= set(node.modifier.matching.labels)
    return found


@pytest.fixture(scope="module")
def told() -> Exposition:
    """What a running worker tells."""
    return asyncio.run(_told())


async def _told() -> Exposition:
    jobs = Atode("memory://")

    @jobs.task("shop:sell")
    async def sell() -> int:
        return 1

    observatory = Observatory(jobs)
    async with jobs, working(jobs):
        assert await (await sell.enqueue()).result(20) == 1
        return read((await observatory.page()).body)


@every_query
def test_every_metric_and_label_that_is_asked_for_is_told(query: Query, told: Exposition) -> None:
    parsed = promql_parser.parse(query.expression)
    found = selectors(parsed)
    assert found, "it asks for nothing"

    labels: set[str] = set()
    for selector in found:
        assert selector.name in told.names, f"nobody tells {selector.name}"
        samples = told.labels_of(selector.name)
        known = {label for sample in samples for label in sample}
        labels |= known
        for matcher in selector.matchers.matchers:
            assert matcher.name in known, f"{selector.name} has no label {matcher.name}"
            _check_value(matcher, {sample[matcher.name] for sample in samples})
    assert grouping(parsed) <= labels | OF_TARGETS
    # What is grouped away cannot be shown.
    kept = grouping(parsed) if any(isinstance(n, AggregateExpr) for n in nodes(parsed)) else labels
    assert query.shown <= kept | OF_TARGETS


def _check_value(matcher: Any, known: set[str]) -> None:
    """Values that are named exist: `status="faild"` would be silent for ever."""
    if matcher.name in {"status", "state"}:
        assert set(matcher.value.split("|")) <= known, f"no {matcher.name} is {matcher.value}"


@every_query
def test_histograms_and_counters_are_not_read_raw(query: Query) -> None:
    parsed = promql_parser.parse(query.expression)
    rated = {
        node.vector_selector.name for node in nodes(parsed) if isinstance(node, MatrixSelector)
    }
    raw = {node.name for node in nodes(parsed) if isinstance(node, VectorSelector)} - rated

    assert not [name for name in raw if name and name.endswith(("_total", "_bucket", "_count"))]


@every_query
def test_figures_of_the_store_are_never_added_up_over_processes(query: Query) -> None:
    for node in nodes(promql_parser.parse(query.expression)):
        if isinstance(node, AggregateExpr) and str(node.op) == "sum":
            inner = node.expr
            if isinstance(inner, Call):
                inner = inner.args[0]
            if isinstance(inner, VectorSelector | MatrixSelector):
                [selector] = selectors(inner)
                assert not str(selector.name).startswith(("queue", "worker_slots", "workers_"))


def test_there_is_an_alert_for_each_of_the_great_troubles() -> None:
    names = {query.place for query in alerts()}

    assert names >= {
        "AtodeJobsFailed",
        "AtodeOldestPending",
        "AtodeLongRunning",
        "AtodeNoWorker",
        "AtodeBrokerUnreachable",
    }


def test_alerts_say_how_bad_it_is_and_what_it_means() -> None:
    document: Any = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))
    for rule in document["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}


def test_panels_have_places_of_their_own_and_one_data_source() -> None:
    taken: set[tuple[int, int]] = set()
    identifiers: set[int] = set()
    for panel in dashboard()["panels"]:
        place: Mapping[str, int] = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert panel["id"] not in identifiers
        taken |= cells
        identifiers.add(panel["id"])
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"


def test_variables_of_the_dashboard_take_their_values_from_real_labels(
    told: Exposition,
) -> None:
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
            assert match
            assert match[2] in {label for sample in told.labels_of(match[1]) for label in sample}


@pytest.mark.parametrize("page", DOCS, ids=["en", "ja"])
def test_every_metric_is_explained(page: Path, told: Exposition) -> None:
    text = page.read_text("utf-8")
    ours = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for name in told.names
        if not name.startswith(("process_", "python_"))
    }

    named = set(re.findall(r"^\| `([a-z_]+)`", text, flags=re.MULTILINE))

    assert named == ours
    assert not [query.place for query in alerts() if f"`{query.place}`" not in text]
