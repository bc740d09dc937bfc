"""Alerts: tells the owner of what is held, parked, failing or silent, once, in few messages, and when it is over."""
