"""PostgreSQL's catalogs, as clients ask for them: this gateway's world, filtered to what the user may see.

A few narrow *base tables* are read from the gateway's catalog by Python (``base.py``) and handed to the user's worker
as files. Everything that has PostgreSQL's shape is SQL over them, declared by name: relations (``pg_catalog.py``,
``information_schema.py``, ``ours.py``) become temporary views or tables, functions (``functions.py``) temporary macros.
A worker gets what a statement names and what that stands on, when it first names it.
"""
