"""Prepaid tuition: contracts, custody at banks, lesson-by-lesson release, refunds, reconciliation, warnings (S0.9③, S1 一（二）5)."""
