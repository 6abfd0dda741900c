"""The wire: connections, credentials, retries. Only here are httpx and the environment."""

from connstat_sql.transport.client import Answer, Client, Clock, Door, Request, Sent
from connstat_sql.transport.configuration import (
    Connection,
    build_connection,
    environment_connection,
    find_config,
    read_config,
)

__all__ = [
    "Answer",
    "Client",
    "Clock",
    "Connection",
    "Door",
    "Request",
    "Sent",
    "build_connection",
    "environment_connection",
    "find_config",
    "read_config",
]
