"""The tested connector: the profile of the options, and the guard that keeps a load test away from Amazon's hosts."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

from contract import profile as profiles
from contract.errors import BadProfile
from contract.profile import Profile
from load.errors import BadOptions
from load.settings import LoadOptions

_CONNECT_WITHIN_S = 5.0
_AMAZON = (".amazonphysicalstores.com",)


def target(options: LoadOptions) -> Profile:
    """Return the connector's profile. Raises BadOptions if there is none or it cannot be used."""
    if not (options.connector or options.profile):
        raise BadOptions("no connector is named", "give --connector URL or --profile FILE")
    try:
        profile = profiles.load(Path(options.profile)) if options.profile else profiles.for_url(options.connector)
        if options.connector:
            given = profiles.for_url(options.connector).connector.url
            profile = profile.model_copy(update={"connector": profile.connector.model_copy(update={"url": given})})
    except BadProfile as error:
        raise BadOptions(str(error)) from error
    host = urlsplit(profile.connector.url).hostname or ""
    if profile.house.auth.block_amazon_hosts and host.endswith(_AMAZON):
        raise BadOptions(f"{host} is Amazon's", "a load test only calls a retailer's own connector")
    return profile


def keep_limit(options: LoadOptions, profile: Profile) -> None:
    """Make sure that the connector declares at least this rate. Raises BadOptions if it declares less."""
    limit = profile.limits.rate_limit_per_second
    if limit and options.rate > limit:
        raise BadOptions(
            f"--rate {options.rate:g} is above the {limit}/s that [limits] rate_limit_per_second declares",
            f"give --rate {limit} or less (arrivals by chance come in bursts), or raise the limit and declare that",
        )


def reach(profile: Profile) -> None:
    """Make sure that a server listens. Raises BadOptions, with what to do, if none does."""
    url = profile.connector.url
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _CONNECT_WITHIN_S).close()
    except OSError as error:
        raise BadOptions(
            f"nothing answers at {url} ({error.strerror or error})", "start the connector, or name its address"
        ) from error
