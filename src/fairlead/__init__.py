"""Fairlead: a SQL gateway in which a credential is named once and never seen again."""

__version__ = "0.1.0"
