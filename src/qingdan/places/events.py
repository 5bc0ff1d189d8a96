"""What happens to calendars, for apps on higher floors to answer: places knows none of them."""

from __future__ import annotations

from django.dispatch import Signal

#: Sent, with ``region``, after a bureau's calendar was changed or a change was taken back, inside the same transaction. Whoever
#: answers must be able to answer twice: the same change may be told again.
calendar_changed = Signal()
