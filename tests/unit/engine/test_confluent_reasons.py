"""Why a connector of Confluent's is broken, wherever Confluent says it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.conftest import engine_of

SORRY = "The connector failed due to an unexpected error. We apologize for any inconvenience."
CHECKED = "Unable to validate configuration. Errors:\ntopics: the topic invoices does not exist\n"
REASONS: dict[str, tuple[dict[str, Any], str | None]] = {
    "read": ({"trace": SORRY, "errors_from_trace": [{"error": "no key"}]}, "no key"),
    "read-twice": ({"trace": SORRY, "errors_from_trace": ["no key", "no lock"]}, "no key; no lock"),
    "checked": ({"trace": CHECKED}, "topics: the topic invoices does not exist"),
    "refused": ({"validation_errors": [{"message": "port: no number"}]}, "port: no number"),
    "told": ({"override_message": " It is put aside. "}, "It is put aside."),
    "action": ({"tasks": [("USER_ACTIONABLE_ERROR", "Give another key")]}, "Give another key"),
    "second": ({"trace": " \n", "tasks": [("FAILED", " "), ("FAILED", "a.B: it")]}, "B: it"),
    "silent": ({"trace": "", "tasks": [("FAILED", "")]}, None),
}


def body(name: str, status: dict[str, Any]) -> dict[str, Any]:
    tasks = [
        {"id": number, "state": state, "worker_id": name, "msg": text}
        for number, (state, text) in enumerate(status.get("tasks", ()))
    ]
    connector = {"state": "FAILED", "worker_id": name, "trace": status.get("trace", "")}
    lists = {key: status.get(key, []) for key in ("errors_from_trace", "validation_errors")}
    return {
        "id": {"id": f"lcc-{name}"},
        "info": {"name": name, "type": "sink", "config": {}, "tasks": []},
        "status": {
            "name": name, "type": "sink", "connector": connector, "tasks": tasks, **lists,
            "override_message": status.get("override_message", ""),
        },
    }  # fmt: skip


def cloud(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/connectors"):
        parts = [one for one in request.url.params.get("expand", "").split(",") if one]
        bodies = {name: body(name, status) for name, (status, _) in REASONS.items()}
        expanded = {name: {part: of[part] for part in parts} for name, of in bodies.items()}
        return httpx.Response(200, json=expanded if parts else [*bodies])
    known = {"/org/v2/environments": "env-5", "/cmk/v2/clusters": "lkc-5"}
    listed = [{"id": known[request.url.path]}] if request.url.path in known else []
    return httpx.Response(200, json={"data": listed, "metadata": {}})


def test_the_reason_is_found_wherever_it_is_said() -> None:
    table = {"provider": "confluent", "api_key": "k", "api_secret": "s"}
    wire = httpx.MockTransport(cloud)
    with engine_of({"cloud": table}, transport=wire) as engine:
        sql = "SELECT connector_name, error_summary FROM inventory.connectors.connectors"
        *_, answer = engine.run(sql)
        assert dict(answer) == {name: reason for name, (_, reason) in REASONS.items()}
        sql = (
            "SELECT connector_name, error_summary FROM inventory.connectors.tasks WHERE task_id = 0"
        )
        *_, answer = engine.run(sql)
        assert dict(answer) == {"action": "Give another key", "second": None, "silent": None}
