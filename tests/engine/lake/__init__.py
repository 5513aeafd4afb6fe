"""Tests of native tables."""
