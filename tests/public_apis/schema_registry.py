"""Schema Registry: arrays of texts and numbers, which lead from one to the next."""

from base64 import b64encode

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"key": "K1", "secret": SECRET}
SUBJECTS = {"orders-value": [1, 3], "refunds/eu-value": [2]}
PROOF = "Basic " + b64encode(f"K1:{SECRET}".encode()).decode()


class Fake:
    """Two subjects with three versions in all; one name holds a slash."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != PROOF:
            return answer({"error_code": 40101, "message": "User cannot be authenticated"}, 401)
        parts = [httpx.URL(f"http://x/{segment}").path[1:] for segment in call.line.split("/")[2:]]
        if len(parts) == 1 or not parts:
            return answer(list(SUBJECTS))
        subject = parts[0].replace("%2F", "/")
        versions = SUBJECTS.get(subject)
        if versions is None or (len(parts) == 3 and int(parts[2]) not in versions):
            return answer({"error_code": 40401, "message": "Subject not found."}, 404)
        if len(parts) == 2:
            return answer(versions)
        number = int(parts[2])
        return answer({"subject": subject, "version": number, "id": 100 + number, "schema": "{}"})


CASES = {
    "every schema of every subject": Case(
        "SELECT subject, version, id FROM schema_registry.subjects.schemas ORDER BY ALL",
        [("orders-value", 1, 101), ("orders-value", 3, 103), ("refunds/eu-value", 2, 102)],
        requests=6,
    ),
    "one that is not there": Case(
        "FROM schema_registry.subjects.schemas WHERE subject = 'orders-value' AND version = 2", []
    ),
}
