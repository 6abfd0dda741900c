"""The eight tables of the wholesaler."""

from __future__ import annotations

from pathlib import Path

from tests.shop.copies import Shop

SHOP = Shop("tpch", "sales", Path(__file__).parent)
