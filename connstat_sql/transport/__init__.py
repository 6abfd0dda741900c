"""The wire: connections, credentials, retries. Only here are httpx and the environment."""

from connstat_sql.transport.client import Client
from connstat_sql.transport.configuration import (
    Connection,
    build_connection,
    environment_connection,
    is_plain_url,
    read_config,
)
from connstat_sql.transport.door import Answer, Clock, Door, Request, Sent

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
    "is_plain_url",
    "read_config",
]
