"""Tests of connstat-sql."""
