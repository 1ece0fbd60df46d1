"""One file per grant type; none knows another."""
