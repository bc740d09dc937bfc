"""Command line: the `hub` command, one module a group of commands."""
