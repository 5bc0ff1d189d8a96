"""Forms about institutions, by part."""
