"""Vault: a map by path, a list by a flag of the query, and a 404 for an empty folder."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"token": SECRET}
MOUNTS = {name: {"type": kind, "accessor": f"{kind}_1", "options": None}
          for name, kind in (("kv/", "kv"), ("sys/", "system"))}  # fmt: skip


class Fake:
    """Two engines; one of them has a secret and a folder."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("X-Vault-Token") != SECRET:
            return answer({"errors": ["permission denied"]}, 403)
        if call.path == "/v1/sys/mounts":
            return answer({"request_id": "r1", "data": MOUNTS})
        if call.line == "GET /v1/kv/metadata?list=true":
            return answer({"data": {"keys": ["db", "app/"]}})
        return answer({"errors": []}, 404)


CASES = {
    "engines": Case(
        "SELECT path, type FROM vault.sys.mounts ORDER BY path", [("kv/", "kv"), ("sys/", "system")]
    ),
    "names of a folder, and of an empty one": Case(
        "SELECT mount, name FROM vault.sys.keys WHERE mount IN ('kv', 'other') ORDER BY name",
        [("kv", "app/"), ("kv", "db")], requests=2,
    ),
}  # fmt: skip
