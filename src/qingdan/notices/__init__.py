"""What the house tells its people: reminders and decisions, shown until read."""
