"""Draws that anybody can repeat: families asked today, classes checked this month."""
