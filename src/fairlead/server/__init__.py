"""The gateway as a process: what it is made of, its listeners, its log."""
