"""Kubernetes: a token named `continue` that is empty at the end, objects deep in objects."""

from datetime import datetime, timezone
from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
SPACES = ["default", "kube-system", "shop"]
STARTED = "2025-12-01T12:00:00Z"


def pod(number: int) -> dict[str, Any]:
    status = {"phase": "Running", "startTime": STARTED} if number else {"phase": "Pending"}
    metadata = {
        "name": f"pod-{number}", "uid": f"00000000-0000-0000-0000-00000000000{number}",
        "labels": {"app": "web"}, "annotations": {"example.com/cpus": "2"} if number else None,
    }  # fmt: skip
    return {"metadata": metadata, "status": status}


class Fake:
    """Three namespaces, of which one has pods."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"kind": "Status", "message": "Unauthorized"}, 401)
        parts = call.path.split("/")[3:]
        items: list[dict[str, Any]] = [{"metadata": {"name": name}} for name in SPACES]
        if len(parts) == 3:
            items = [pod(n) for n in range(3)] if parts[1] == "shop" else []
        start = int(call.query.get("continue", "0"))
        rows, following = page(items, start, int(call.query["limit"]))
        token = "" if following is None else str(following)
        return answer({"kind": "List", "metadata": {"continue": token}, "items": rows})


CASES = {
    "pods of all namespaces": Case(
        "SELECT namespace, name, phase, started, cpus FROM kubernetes.core.pods ORDER BY name",
        [
            ("shop", "pod-0", "Pending", None, None),
            *(("shop", f"pod-{n}", "Running", datetime(2025, 12, 1, 12, tzinfo=timezone.utc), "2")
              for n in (1, 2)),
        ],
        requests=6,
    ),
    "enough of them": Case(
        "SELECT name FROM kubernetes.core.pods WHERE namespace = 'shop' LIMIT 2",
        [("pod-0",), ("pod-1",)], kept=False,
    ),
}  # fmt: skip
