"""The listener for MySQL clients."""
