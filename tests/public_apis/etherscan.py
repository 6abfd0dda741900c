"""Etherscan: the key in the query string, errors and rate limits in a 200, numbers as texts."""

from decimal import Decimal

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"key": SECRET}
ASKED = "module=account&action=txlist"
TRANSFERS = [{"hash": f"0x{n}", "value": str(10**30 + n)} for n in range(5)]


class Fake:
    """Five transfers of 0xa, none of 0xb; the second request of all comes too soon."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, call: Call) -> httpx.Response:
        self.calls += 1
        asked = call.query
        if asked["apikey"] != SECRET:
            return answer({"status": "0", "message": "NOTOK", "result": "Invalid API Key"})
        if self.calls == 2:
            said = "Max rate limit reached, please use API Key for higher rate limit"
            return answer({"status": "0", "message": "NOTOK", "result": said})
        if asked["address"] == "0xb":
            return answer({"status": "0", "message": "No transactions found", "result": []})
        if asked["address"] != "0xa":
            said = f"Error! Invalid address format for the key {asked['apikey']}"
            return answer({"status": "0", "message": "NOTOK", "result": said})
        size = int(asked["offset"])
        rows, _ = page(TRANSFERS, (int(asked["page"]) - 1) * size, size)
        return answer({"status": "1", "message": "OK", "result": rows})


CASES = {
    "both pages, the second after another try": Case(
        "SELECT hash, amount FROM etherscan.account.transfers WHERE address = '0xa' ORDER BY hash",
        [(transfer["hash"], Decimal(transfer["value"])) for transfer in TRANSFERS], requests=3,
    ),
    "nothing is no error": Case("FROM etherscan.account.transfers WHERE address = '0xb'", []),
    "where a row is from is told without the key": Case(
        "SELECT DISTINCT _url FROM etherscan.account.transfers WHERE address = '0xa' AND "
        "hash = '0x0'",
        [(f"GET http://etherscan.test/api?{ASKED}&address=0xa&offset=3&page=1",)],
        requests=2,
    ),
    "an error that repeats the key": Case(
        "FROM etherscan.account.transfers WHERE address = 'x'",
        error="etherscan answered 200 with an error: Error! Invalid address format for the key …",
    ),
}  # fmt: skip
