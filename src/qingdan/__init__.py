"""Qingdan (轻担): the 双减 policy as data, and the district that works by it."""
