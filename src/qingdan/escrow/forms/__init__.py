"""Forms of the escrow app."""
