"""A small bank of our own for the demonstration and the tests: fictional, but a real program that keeps its books on the disk."""

#: Known to everybody on purpose: no real money is here.
DEMO_TOKEN = "demo-bank"  # noqa: S105
