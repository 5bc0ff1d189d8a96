"""What happens with several records at once."""
