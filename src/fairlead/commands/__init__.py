"""The statements that the gateway itself serves: each module those about one kind of object."""
