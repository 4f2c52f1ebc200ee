"""The tests: folders mirror `datavc/`, `support/` holds what several of them need."""
