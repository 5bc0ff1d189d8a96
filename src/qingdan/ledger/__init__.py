"""A double-entry book for fen, lessons and teacher minutes: appended to, never changed."""
