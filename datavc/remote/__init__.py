"""Bytes elsewhere: backends and the object store over them."""
