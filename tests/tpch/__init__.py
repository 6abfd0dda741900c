"""The 22 queries of TPC-H over its eight tables, which a made-up API serves page by page.

`data.sql` makes the rows, `providers/` says how the API is asked, `api` answers as it would,
`bench` runs a query over it and over full copies, and `queries/` holds the 22.
"""
