"""The wire: connections, credentials, retries. Only here are httpx and the environment."""

from connstat_sql.transport.client import Client
from connstat_sql.transport.clock import Clock
from connstat_sql.transport.configuration import (
    Configuration,
    Connection,
    build_connection,
    environment_connection,
    is_plain_url,
    read_config,
)
from connstat_sql.transport.door import Answer, Door, Request, Sent
from connstat_sql.transport.limits import Limits

__all__ = [
    "Answer",
    "Client",
    "Clock",
    "Configuration",
    "Connection",
    "Door",
    "Limits",
    "Request",
    "Sent",
    "build_connection",
    "environment_connection",
    "is_plain_url",
    "read_config",
]
