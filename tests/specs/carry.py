"""Carries bare facts of the vendors' OpenAPI documents into the project: names, places, types.

Run by hand with the folder of the documents, after a method was added or a document was renewed:

    python -m tests.specs.carry FOLDER

For exactly the requests that `providers/` makes it writes `tests/specs/<provider>.json`, one
request a line: where each parameter goes and whether it is required, and the JSON types of the
answer. A type is its name, `string:date-time` with its format; `{}` holds the properties of an
object, with `*` for the values of any other key; `[…]` is an array; `any` says nothing. Texts of
the documents (descriptions, examples) are left behind.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import Method

# Which documents describe which service. AeonTel publishes none.
DOCUMENTS = {
    "confluent.billing": ["confluent-cloud-billing"],
    "confluent.connect": ["confluent-cloud-connect", "confluent-cloud-connect-custom-plugin"],
    "confluent.iam": ["confluent-cloud-iam", "confluent-cloud-apikeys"],
    "confluent.managed_kafka_clusters": ["confluent-cloud-cmk"],
    "confluent.networking": ["confluent-cloud-networking"],
    "confluent.org": ["confluent-cloud-org"],
    "confluent.schema_registry_clusters": ["confluent-cloud-srcm"],
    "kafka_connect.connect": ["kafka-connect-3.9.0"],
    "redpanda.controlplane": ["redpanda-cloud-controlplane"],
    "redpanda.dataplane": ["redpanda-cloud-dataplane"],
    "redpanda.kafka_connect": ["redpanda-cloud-dataplane"],
}
MAX_DEPTH = 12

Facts = dict[str, dict[str, dict[str, Any]]]


def place(path: str) -> str:
    """A path with `{}` in place of each parameter: vendors name them otherwise than we do."""
    parts = path.split("{")
    return parts[0] + "".join("{}" + part.partition("}")[2] for part in parts[1:])


def request(method: Method) -> str:
    """The name under which a method's facts stand."""
    return f"{method.verb} {place(str(method.path))}"


class Document:
    """An OpenAPI document, with its references followed."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def facts(self, wanted: set[str]) -> dict[str, dict[str, Any]]:
        """Facts of the wanted requests, by name; a path that ends in a query keeps it."""
        found = {}
        for path, item in self.root["paths"].items():
            for verb in ("get", "post"):
                name = f"{verb.upper()} {place(path)}"
                if verb in item and name.partition("?")[0] in wanted:
                    found[name] = self.operation(item, item[verb])
        return found

    def operation(self, item: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
        """Parameters and answer of one operation."""
        declared = [*item.get("parameters", []), *operation.get("parameters", [])]
        parameters = [
            {"in": one["in"], "name": one["name"], "required": bool(one.get("required"))}
            for one in map(self.follow, declared)
        ]
        facts: dict[str, Any] = {
            "parameters": sorted(parameters, key=lambda one: (one["in"], one["name"]))
        }
        responses = operation["responses"]
        # Kafka's documents know `default` only; elsewhere that is the answer to a mistake.
        answer = responses.get("200") or (responses.get("default") if len(responses) == 1 else None)
        if answer is not None:
            content = self.follow(answer).get("content", {})
            facts["body"] = self.type(content.get("application/json", {}).get("schema", {}), 0)
        return facts

    def follow(self, node: dict[str, Any]) -> dict[str, Any]:
        """The node itself, or the one that it refers to."""
        while "$ref" in node:
            target: Any = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def type(self, schema: dict[str, Any], depth: int) -> Any:
        """The type of a schema; an object of which nothing is said may hold anything."""
        found = self._laid_over(self.follow(schema), depth)
        return {"*": "any"} if found == {} else found

    def _laid_over(self, schema: dict[str, Any], depth: int) -> Any:
        """A schema and all its parts and alternatives, laid over each other."""
        if depth > MAX_DEPTH:
            return "any"
        found: Any = "any"
        for word in ("allOf", "oneOf", "anyOf"):
            for part in schema.get(word, []):
                found = _merged(found, self._laid_over(self.follow(part), depth + 1))
        return _merged(found, self._own_type(schema, depth))

    def _own_type(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type", "any")
        if kind == "array" or "items" in schema:
            return [self.type(schema.get("items", {}), depth + 1)]
        if kind == "object" or "properties" in schema:
            properties = schema.get("properties", {})
            found = {name: self.type(one, depth + 1) for name, one in properties.items()}
            others = schema.get("additionalProperties")
            if isinstance(others, dict):
                found["*"] = self.type(others, depth + 1)
            elif others is True:
                found["*"] = "any"
            return found
        return f"{kind}:{schema['format']}" if "format" in schema else kind


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(name for name in other if name not in one)]
        return {name: _merged(one.get(name, "any"), other.get(name, "any")) for name in names}
    if isinstance(one, list) and isinstance(other, list):
        return [_merged(one[0], other[0])]
    if one == "any" or other == "any":
        return other if one == "any" else one
    return one if one == other else "any"


def carry(folder: Path) -> dict[str, Facts]:
    """Facts of every request of every provider that has documents, by provider and service."""
    library = Library([shipped_providers()])
    found: dict[str, Facts] = {}
    for table_service, names in DOCUMENTS.items():
        provider, name = table_service.split(".")
        service = library.service(provider, name)
        if service is None:
            continue
        wanted = {request(one) for each in service.resources.values() for one in each.methods}
        facts: dict[str, dict[str, Any]] = {}
        for document in names:
            text = (folder / f"{document}.openapi.yaml").read_text("utf-8")
            facts |= Document(yaml.load(text, yaml.CSafeLoader)).facts(wanted)
        found.setdefault(provider, {})[name] = facts
    return found


def text(facts: Facts) -> str:
    """JSON with one request a line."""
    services = []
    for service, requests in sorted(facts.items()):
        lines = [
            f"  {json.dumps(name)}: {json.dumps(one, sort_keys=True, separators=(',', ':'))}"
            for name, one in sorted(requests.items())
        ]
        services.append(f" {json.dumps(service)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(services) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Writes the facts beside this file."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.specs.carry FOLDER\n")
        return 2
    for provider, facts in carry(Path(arguments[0])).items():
        target = Path(__file__).parent / f"{provider}.json"
        target.write_text(text(facts), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
