"""Where stages run. Read base.py first; nothing here knows what a stage means."""
