"""The listener for Arrow Flight SQL clients, such as ADBC."""
