"""Joins in the shape of the Join Order Benchmark: a few things, and many tables that tie them.

The answers and the requests of a query do not depend on the order in which it names its tables.
"""
