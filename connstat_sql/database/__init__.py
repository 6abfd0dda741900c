"""The one place that calls DuckDB: its connection, its catalog, its reading of SQL, its errors."""
