"""Bytes here: the cache, links, the stat cache, transfers between stores."""
