"""The top floor: base templates, theme, home page and error pages."""
