"""Numbers in files: read, compared, drawn. Nothing here asks Git, writes, or prints."""
