"""What this process asks of other servers: those that the settings name, and those that only clients name."""
