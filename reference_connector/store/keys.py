"""Digests that are the keys of tables: 16 bytes, so that their index stays small over many millions of trips."""

from __future__ import annotations

import hashlib


def digest(name: str) -> bytes:
    """Return the key of a name."""
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


def trip_key(trip_id: str) -> bytes:
    """Return the key of a shopping trip. Its purchase and its booked order have the same one."""
    return digest(f"order\0{trip_id}")
