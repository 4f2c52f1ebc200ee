"""A repository on disk. Modules below `repo.py` take the parts they need, never the tray."""
