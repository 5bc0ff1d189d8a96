"""Homework: entered by teachers, coordinated by year groups, published every week, finished at school, supervised."""
