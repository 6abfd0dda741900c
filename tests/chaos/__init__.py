"""Chaos: an API that says what it was asked and fails as it is told, and its definitions.

It is no vendor's and not shipped: tests read from its rows what a plan has sent. Definitions are
loaded where a connection to it is written down (``tests.conftest.engine_of``), or with
``--providers``.
"""

from tests.chaos.sandbox import CHAOS_PROVIDERS, ChaosSandbox, chaos_of

__all__ = ["CHAOS_PROVIDERS", "ChaosSandbox", "chaos_of"]
