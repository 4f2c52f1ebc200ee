"""What a user can do: one file a verb; each takes the `Repo`, returns a result, never prints."""
