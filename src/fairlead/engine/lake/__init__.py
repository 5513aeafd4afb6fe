"""Native tables: the lake of each database, the private copies that workers read, the writer that alone commits."""
