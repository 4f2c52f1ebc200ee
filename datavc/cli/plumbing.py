"""Commands that Git runs: they load no command line library, and no help lists them."""

PLUMBING = {"hook": "hook", "merge-driver": "merge_driver"}
"""Command → module below `commands`, whose `main(arguments)` returns the exit code."""
