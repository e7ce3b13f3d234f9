"""The user's own code: how its files are run, and what is asked of what they define."""
