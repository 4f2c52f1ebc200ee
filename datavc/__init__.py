"""datavc: versions of data in a Git repository, and what depends on them."""

__version__ = "0.1.0"
