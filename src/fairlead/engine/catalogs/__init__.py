"""PostgreSQL's catalogs in a statement for the engine: found, and made to mean the gateway's own relations.

Statements that name no catalog never come here. In one that does, names of the catalogs' relations and functions become
those of temporary views and macros in the worker, and the few forms that only PostgreSQL has (``'t'::regclass``,
``OPERATOR(pg_catalog.~)``, ``COLLATE pg_catalog.default``) become forms of the engine. What stands behind the names is
filled by ``commands/introspection``.
"""
