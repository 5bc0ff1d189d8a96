"""``python -m qingdan.cli``."""

from qingdan.cli import app

app(prog_name="qingdan")
