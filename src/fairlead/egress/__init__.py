"""The only door out: the store proxy, the egress policy, and the clients that reach object stores."""
