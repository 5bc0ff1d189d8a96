"""Who may open which address: one module for each app, one row for each URL name."""
