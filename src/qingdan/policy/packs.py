"""The built-in pack, and packs of a user's own laid over it."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from qingdan.policy.pack import Pack

#: The pack that comes with the software.
BUILT_IN = Path(__file__).resolve().parents[3] / "policies"


@lru_cache(maxsize=4)
def load_pack(*folders: Path) -> Pack:
    """The built-in pack with the given folders over it; loaded once per process."""
    return Pack.load(BUILT_IN, *folders)


def default_pack() -> Pack:
    """The pack of this installation: built-in, and the folders of ``QINGDAN_POLICIES`` (separated as in PATH)."""
    return load_pack(*(Path(part) for part in os.environ.get("QINGDAN_POLICIES", "").split(os.pathsep) if part))
