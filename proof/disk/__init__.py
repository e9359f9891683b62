"""Faults of the disk and of the record on it, and of what is handed on of it."""
