"""The PostgreSQL protocol, version 3: a core without I/O and a thin asyncio shell around it."""
