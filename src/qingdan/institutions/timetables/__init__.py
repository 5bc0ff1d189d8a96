"""Timetables: expanding plans to dates, taking in and writing out workbooks."""
