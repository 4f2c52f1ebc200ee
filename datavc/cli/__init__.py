"""The terminal: parses, draws, exits. Nothing else prints."""
