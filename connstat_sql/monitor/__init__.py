"""Watching a query: the same statement again and again, and what has changed each time.

`schedule` says when, `changes` compares what came with what was known, `format` says it.
"""
