"""Pages about institutions, by part."""
