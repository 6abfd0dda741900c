"""YAML files → definitions. Only this stage touches YAML and the folders of providers."""

from connstat_sql.definitions.loader.documents import json_schema
from connstat_sql.definitions.loader.library import Library, examples, shipped_providers, validate

__all__ = ["Library", "examples", "json_schema", "shipped_providers", "validate"]
