"""DynamoDB: the call in a header, a type of its own for JSON, an object as cursor, typed values."""

import json

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"key": SECRET}
ITEMS = [
    {"id": {"S": f"o{n}"}, "amount": {"N": f"{n}.125"}, **({"tags": {"SS": ["x"]}} if n else {})}
    for n in range(3)
]


class Fake:
    """Three orders; the last page of a scan may be empty, and its first try is throttled."""

    def __init__(self) -> None:
        self.is_throttled = True

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers["X-Api-Key"] == SECRET
        assert call.headers["X-Amz-Target"] == "DynamoDB_20120810.Scan"
        assert call.headers["Content-Type"] == "application/x-amz-json-1.0"
        asked = json.loads(call.request.content)
        if asked["TableName"] != "orders":
            kind = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
            return answer({"__type": kind, "message": "Requested resource not found"}, 400)
        if self.is_throttled:
            self.is_throttled = False
            return answer({"__type": "#ThrottlingException", "message": "Rate exceeded"}, 400)
        last = asked.get("ExclusiveStartKey", {"id": {"S": "o-1"}})["id"]["S"]
        start = int(last[1:]) + 1
        items = ITEMS[start : start + asked["Limit"]]
        more = {"LastEvaluatedKey": {"id": items[-1]["id"]}} if start < 2 else {}
        return answer({"Items": items, "Count": len(items), **more})


CASES = {
    "an object goes from page to page": Case(
        "SELECT id, amount::VARCHAR, tags FROM dynamodb.items.orders",
        [("o0", "0.125", None), ("o1", "1.125", ["x"]), ("o2", "2.125", ["x"])], requests=3,
    ),
    "another table": Case(
        "FROM dynamodb.items.orders WHERE kind = 'nope'", error="Requested resource not found"
    ),
}  # fmt: skip
