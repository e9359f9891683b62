"""What proves the limiter."""
