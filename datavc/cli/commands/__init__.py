"""One file a command: options, one verb, one rendering."""
