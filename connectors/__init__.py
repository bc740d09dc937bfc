"""Connectors: one module a platform."""
