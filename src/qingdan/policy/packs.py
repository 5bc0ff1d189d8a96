"""The built-in pack, and packs of a user's own laid over it."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from qingdan.policy.layers import CalendarFile
from qingdan.policy.pack import Pack

#: The pack that comes with the software.
BUILT_IN = Path(__file__).resolve().parents[3] / "policies"


@lru_cache(maxsize=4)
def load_pack(*folders: Path) -> Pack:
    """The built-in pack with the given folders over it; loaded once per process."""
    return Pack.load(BUILT_IN, *folders)


def _own_folders() -> tuple[Path, ...]:
    return tuple(Path(part) for part in os.environ.get("QINGDAN_POLICIES", "").split(os.pathsep) if part)


def default_pack() -> Pack:
    """The pack of this installation: built-in, and the folders of ``QINGDAN_POLICIES`` (separated as in PATH)."""
    return load_pack(*_own_folders())


@lru_cache(maxsize=1)
def default_fingerprint() -> str:
    """Changes with every change of a file of this installation's pack, or of the code that compiles it."""
    found = hashlib.sha256()
    for folder in (BUILT_IN, *_own_folders()):
        for path in sorted(folder.rglob("*.yaml")):
            found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def with_calendars(pack: Pack, calendars: Mapping[str, CalendarFile]) -> Pack:
    """The pack with the given layers' own calendars (layer code -> calendar) going before what it says itself of their days."""
    local = copy.copy(pack)
    local.layers = {
        code: replace(
            layer,
            calendars=tuple(
                each
                for above in layer.chain
                for each in (
                    *(((f"{above}@local", calendars[above]),) if above in calendars else ()),
                    *(own for own in layer.calendars if own[0] == above),
                )
            ),
        )
        for code, layer in pack.layers.items()
    }
    # What no local calendar touches stays as it has been worked out.
    untouched = [code for code, layer in local.layers.items() if layer.calendars == pack.layers[code].calendars]
    local._calendars = {pack.layers[code].calendar_code: pack.calendar(pack.layers[code]) for code in untouched}
    return local
