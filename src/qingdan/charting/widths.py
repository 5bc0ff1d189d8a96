"""In which widths charts are drawn; apart from the drawing itself, which takes half a second to load."""

from __future__ import annotations

PHONE, DESK = "phone", "desk"
#: Widths of a whole chart in pixels: beside nothing on a phone, in a panel on a desk.
WIDTHS = {PHONE: 330, DESK: 570}
