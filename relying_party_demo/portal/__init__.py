"""Other people's systems. Imports nothing from the identity provider."""
