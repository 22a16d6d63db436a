"""The draw: which members of a frozen list are the sample. Decided by a seed committed before the list
existed.

commitment = sha256(seed) is published first; the list is frozen; the key is HMAC(seed, digest of the list);
each member's rank is HMAC(key, id) and the n lowest are drawn. Who saw the list cannot try seeds, who chose
the seed did not know the list, and everybody can recompute it once the seed is shown after the verdict.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence


def commitment(seed: bytes) -> str:
    """Hex digest that is published before the lot is frozen."""
    return hashlib.sha256(b"concord lot seed\x00" + seed).hexdigest()


def frozen_digest(members: Sequence[str]) -> str:
    """Digest of the frozen list. Order of members does not matter; ids must be distinct."""
    names = sorted(members)
    if len(set(names)) != len(names):
        raise ValueError("a member stands twice in the lot")
    return hashlib.sha256("\n".join(names).encode("utf-8")).hexdigest()


def draw(seed: bytes, members: Sequence[str], n: int) -> list[str]:
    """n of the members, simple random without replacement, in drawn order."""
    if not 0 <= n <= len(members):
        raise ValueError("n must lie in 0..lot size")
    key = hmac.new(seed, frozen_digest(members).encode("ascii"), hashlib.sha256).digest()
    ranked = sorted(
        members, key=lambda name: (hmac.new(key, name.encode("utf-8"), hashlib.sha256).digest(), name)
    )
    return ranked[:n]
