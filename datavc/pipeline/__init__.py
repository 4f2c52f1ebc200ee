"""Pipelines: what must run, and running it."""
