"""Bytes to values and back. One codec a file, each strict and bounded."""
