"""Who may do what, who they are, and the record of what they did."""
