"""Acts over institutions that touch several records."""
