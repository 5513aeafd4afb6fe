"""The external systems: one module per system, each a declaration that every other room reads."""
