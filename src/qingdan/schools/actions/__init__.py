"""What touches several records of a school at once."""
