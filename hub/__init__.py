"""Loyalty Hub: an integration hub that runs a loyalty programme by itself."""

__version__ = "0.1.0"
