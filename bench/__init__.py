"""How fast Qingdan judges, beside peers that do the same work in the same run: ``python -m bench --help``.

Every comparison first asserts that all sides find the same, then times them turn by turn.
"""
