"""The message broker on this computer: found, or started, or our own."""
