"""Acts on homework that touch several records or ask the law."""
