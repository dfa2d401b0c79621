"""How PostgreSQL means to go about a statement."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from atode.broker.postgres._address import address_of
from tests.integration.postgres.stage import Ask

SETTINGS: Mapping[str, str] = address_of("postgresql://h/d").options["server_settings"]
"""Those of the broker's connections."""


def plan(ask: Ask, statement: str, settings: Mapping[str, str]) -> list[Any]:
    """All steps of the plan that holds whatever the values are."""
    set_up = "".join(f"SET {name} = {value};" for name, value in settings.items())
    text = statement.replace("{schema}", '"public"')
    [found] = json.loads(ask(f"{set_up}EXPLAIN (GENERIC_PLAN, FORMAT json) {text}"))

    def steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for inner in node.get("Plans", ()):
            yield from steps(inner)

    return list(steps(found["Plan"]))
