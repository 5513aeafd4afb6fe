"""One client of the gateway, without its protocol: settings, prepared statements, portals, cursors and transactions."""
