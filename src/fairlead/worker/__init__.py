"""What runs inside a worker process: standard library, duckdb and pyarrow only. No other room is imported here."""
