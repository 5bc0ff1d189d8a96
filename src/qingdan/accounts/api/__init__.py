"""What every part of the API shares: tokens with scopes, problems in one shape, writes that happen once, lists in pages."""
