"""Faults of the broker and of the network, and whoever has no business there."""
