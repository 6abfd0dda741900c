"""The one law, tried: random worlds, random SQL, and DuckDB over full copies as the judge.

`world` is a small provider with its rows, served by a mock transport; `grammar` writes queries;
`law` compares. `python -m tests.oracle N` tries N queries and prints what came out.
"""
