"""Public ids and content digests. The one module of the core that may ask the system for random bytes."""

from __future__ import annotations

import base64
import hashlib
import os
import re

REGION_ID = re.compile(r"r_[a-z2-7]{16}\Z")
DIGEST = re.compile(r"[0-9a-f]{64}\Z")

_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8


def new_id(prefix: str) -> str:
    """`prefix_` and 16 base32 letters: 80 random bits, no order, nothing to guess from."""
    return f"{prefix}_{base64.b32encode(os.urandom(10)).decode('ascii').lower()}"


def new_ids(prefix: str, n: int) -> list[str]:
    """n ids at once, as random as `new_id`'s: an import needs ten a row, so each byte's low five bits are a letter."""
    text = os.urandom(16 * n).translate(_LETTERS).decode("ascii")
    return [f"{prefix}_{text[at : at + 16]}" for at in range(0, 16 * n, 16)]


def sha256_hex(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def is_digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.match(value) is not None


def is_region_id(value: object) -> bool:
    return isinstance(value, str) and REGION_ID.match(value) is not None
