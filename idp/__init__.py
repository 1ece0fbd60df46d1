"""The identity provider: sign-up, sign-in, reset, step-up, and standard tokens for alumni portals.

Rooms and their order are in docs/architecture.md; imports point down that list and never up.
"""
