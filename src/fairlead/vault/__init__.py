"""Secrets at rest, and the net that keeps them out of texts."""
