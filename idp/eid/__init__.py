"""Proof of identity from outside. Each connector is one file; none knows another."""
