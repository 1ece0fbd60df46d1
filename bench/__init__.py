"""What the provider costs, measured. Nothing in the provider imports it."""
