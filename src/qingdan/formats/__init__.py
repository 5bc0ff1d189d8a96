"""How days and numbers are written on the pages, where Django's own Chinese formats differ."""
