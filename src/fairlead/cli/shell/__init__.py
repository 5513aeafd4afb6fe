"""``fairlead shell``: a PostgreSQL client for those without psql, that knows what Fairlead has."""
