"""Durable objects: databases, secrets, connections, stages, roles, grants."""
