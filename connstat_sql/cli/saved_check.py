"""`connstat saved check`: saved queries bound against the tables there are."""

from __future__ import annotations

import os
from collections.abc import Mapping

from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.cli.context import Globals
from connstat_sql.definitions.catalog import Catalog
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.saved import SavedFile
from connstat_sql.saved.check import CheckReport
from connstat_sql.saved.parallel import check_all
from connstat_sql.transport import Connection


def checked(entries: list[SavedFile], globals_: Globals) -> CheckReport:
    """What is wrong with files; connections are read once, so that a fault of theirs is told."""
    wiring = _StandIns(Wiring(globals_.setup(), os.environ))
    return check_all(entries, lambda: _engine(wiring))


def _engine(wiring: _StandIns) -> Engine:
    return Engine(wiring, EngineOptions(environment=os.environ))


class _StandIns:
    """A setup's wiring, with a connection for each provider that has none."""

    cache_file = answer_memory = None
    cautions = ()

    def __init__(self, wiring: Wiring) -> None:
        library = wiring.library
        self.attachments, self.views, self.origin = (
            wiring.attachments, wiring.views, wiring.origin,
        )  # fmt: skip
        own: Mapping[str, Connection] = wiring.connections
        missing = set(library.providers) - {connection.provider for connection in own.values()}
        stand_ins = {
            name: Connection(name, name, base_url="https://nowhere.invalid")
            for name in library.providers
            if name in missing and name not in own
        }
        self.connections: Mapping[str, Connection] = {**own, **stand_ins}
        self.catalog = Catalog(
            library, {name: connection.provider for name, connection in self.connections.items()}
        )
