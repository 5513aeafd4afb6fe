"""HTTP: the SQL API, health, readiness and metrics."""
