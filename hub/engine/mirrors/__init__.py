"""Mirrors: the platforms' own fields that follow each member's points, tier and expiry."""
