"""`connstat top`: the fleet on one screen, live.

`question` writes the one statement behind the view, `refreshing` asks it on a thread of its own,
`fleet` makes plain values of the answer and of what changed since the last one, `wanted` says which
of them somebody wants to see, and `columns`, `listing`, `panels`, `pages` and `screen` show them.
"""
