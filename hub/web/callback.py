"""Callback: where platforms lead a person who let the hub use an account. The page tells them what to do with its address.

The code in the address is of no use without the `state` and the verifier, which only the terminal knows that asked for it.
"""

from __future__ import annotations

from flask import Response

CALLBACK = "/oauth/callback"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Almost connected</title></head>
<body><h1>Almost connected</h1>
<p>Copy the whole address of this page and paste it into the terminal where <code>hub connections authorize</code> waits.</p>
</body></html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page() -> Response:
    """The page; nothing of the address stands in it."""
    return Response(_PAGE, content_type="text/html; charset=utf-8", headers=_HEADERS)
