"""The wire: connections, credentials, retries. Only here are httpx and the environment."""

from connstat_sql.config.config_file import Configuration, read_config
from connstat_sql.config.connections import (
    Connection,
    build_connection,
    cautions,
    environment_connection,
    is_plain_url,
)
from connstat_sql.transport.client import Client
from connstat_sql.transport.clock import Clock
from connstat_sql.transport.messages import Answer, Confirm, Door, Request, Sent, Waiting
from connstat_sql.transport.process_limits import Limits
from connstat_sql.transport.responses import is_json

__all__ = [
    "Answer",
    "Client",
    "Clock",
    "Configuration",
    "Confirm",
    "Connection",
    "Door",
    "Limits",
    "Request",
    "Sent",
    "Waiting",
    "build_connection",
    "cautions",
    "environment_connection",
    "is_json",
    "is_plain_url",
    "read_config",
]
