"""Values and their meaning: no files, no clock, no network."""
