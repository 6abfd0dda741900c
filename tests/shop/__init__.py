"""What TPC-H and TPC-DS share: full copies in DuckDB, an API over them, both side by side."""
