"""Planner of data statements, and the workers that run them. No credential is ever here."""
