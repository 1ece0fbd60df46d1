"""A world for the identity provider to work in: a portal, a data service, and mail and phones.

They are other people's systems: nothing here imports the provider, and they do not import each other.
`python -m relying_party_demo` starts all of it on this machine.
"""
