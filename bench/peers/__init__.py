"""The peers: each judges the generated records by the generated law in its own way, and finds the same."""
