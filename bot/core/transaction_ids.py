"""Names that are the same after a crash: Matrix transaction ids derived from what caused a message.

One prefix per event type, because homeservers may de-duplicate by room, device and id whatever the type
(Synapse does).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

Prefix = Literal["reply", "alarm", "edit", "redact", "react", "notice"]


def key(prefix: Prefix, *parts: str) -> str:
    """`reply.3f9a…`: the prefix and 32 hex digits over the parts."""
    digest = sha256("\0".join(parts).encode()).hexdigest()
    return f"{prefix}.{digest[:32]}"
