"""How long our HTTP clients keep an idle connection."""

from __future__ import annotations

import httpx

KEEP_IDLE_S = 2.0
"""Shorter than uvicorn's 5 s, so that no request leaves on a connection that the server closes at that moment."""
LIMITS = httpx.Limits(keepalive_expiry=KEEP_IDLE_S)
