"""Electronic identities: simulators that speak the true protocols over real sockets, and are no kinder."""
