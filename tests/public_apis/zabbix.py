"""Zabbix: JSON-RPC by POST, errors in a 200, all values as text, a zero for what is not."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"token": SECRET}
PROBLEMS = [
    {"eventid": str(90 + n), "name": f"Disk {n}", "severity": str(n), "clock": str(1767225600 + n),
     "r_clock": "0" if n else "1767225660", "acknowledged": str(n % 2)}
    for n in range(3)
]  # fmt: skip


class Fake:
    """Three problems; a severity above five is an invalid parameter."""

    def __call__(self, call: Call) -> httpx.Response:
        asked = call.json
        assert (asked["jsonrpc"], asked["method"], asked["id"]) == ("2.0", "problem.get", 1)
        assert call.headers["Authorization"] == f"Bearer {SECRET}"
        params = asked["params"]
        wanted = params.get("severities", [0, 1, 2])
        if max(wanted) > 5:
            error = {"code": -32602, "message": "Invalid params.", "data": "Severity: 0 to 5."}
            return answer({"jsonrpc": "2.0", "error": error, "id": 1})
        rows = [
            problem for problem in PROBLEMS
            if int(problem["severity"]) in wanted
            and int(problem["clock"]) >= params.get("time_from", 0)
        ]  # fmt: skip
        return answer({"jsonrpc": "2.0", "result": rows, "id": 1})


CASES = {
    "texts are what they mean": Case(
        "SELECT id, severity, epoch(since)::BIGINT - 1767225600, solved IS NULL, acknowledged "
        "FROM zabbix.api.problems",
        [(90, 0, 0, False, False), (91, 1, 1, True, True), (92, 2, 2, True, False)],
    ),
    "severities and a bound in the body": Case(
        "SELECT id FROM zabbix.api.problems WHERE severity IN (0, 2) "
        "AND since >= '2026-01-01 00:00:02Z'", [(92,)],
    ),
    "an error in a 200": Case(
        "FROM zabbix.api.problems WHERE severity = 9", error="Severity: 0 to 5."
    ),
}  # fmt: skip
