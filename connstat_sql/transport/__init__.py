"""One request over the wire: credentials, limits, retries. Only here are httpx and aiohttp."""

from connstat_sql.config.config_file import Configuration, read_config
from connstat_sql.config.connections import (
    Connection,
    build_connection,
    cautions,
    environment_connection,
    is_plain_url,
)
from connstat_sql.transport.client import Client
from connstat_sql.transport.clock import Clock, RealClock
from connstat_sql.transport.messages import (
    Attempt,
    ClientOptions,
    Confirm,
    Request,
    Response,
    RetryNotice,
)
from connstat_sql.transport.process_limits import ProcessLimits
from connstat_sql.transport.responses import is_json

__all__ = [
    "Attempt",
    "Client",
    "ClientOptions",
    "Clock",
    "Configuration",
    "Confirm",
    "Connection",
    "ProcessLimits",
    "RealClock",
    "Request",
    "Response",
    "RetryNotice",
    "build_connection",
    "cautions",
    "environment_connection",
    "is_json",
    "is_plain_url",
    "read_config",
]
