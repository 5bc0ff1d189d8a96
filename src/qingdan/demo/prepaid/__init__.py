"""Prepaid tuition of the demonstration: three months of contracts, lessons, refunds and bank statements, all of it invented."""
