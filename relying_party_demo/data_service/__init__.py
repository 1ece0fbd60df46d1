"""The alumni data service: a resource server. Other people's system.

Owns payslips, access windows and the policy who may read what. It trusts the identity provider's
signature and nothing else of it, and imports neither the provider nor the portal.
"""
