"""What several tests need: repositories and servers."""
