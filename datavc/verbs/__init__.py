"""What a user can do: one file a verb. It takes the `Repo`, returns a frozen result, never prints."""
