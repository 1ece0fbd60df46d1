"""The alumni portal: an OpenID Connect client with sessions of its own. Other people's system.

Owns its pages and its sessions. Who somebody is, it learns from the identity provider; what they may
see, the data service decides. It imports neither.
"""
