"""Faults of the host, on real processes: what is killed, frozen or broken here is what runs at a table."""
