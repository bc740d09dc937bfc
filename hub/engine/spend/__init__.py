"""Spend: what the hub's calls buy for members, held against what the providers say they sold."""
