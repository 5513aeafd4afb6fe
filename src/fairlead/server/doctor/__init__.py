"""``fairlead doctor``: looks at one gateway's machine and data directory, and says what to do."""
