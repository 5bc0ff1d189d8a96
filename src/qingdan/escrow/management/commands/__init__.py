"""Commands of prepaid tuition."""
