"""Pages of the escrow app, one module for each part."""
