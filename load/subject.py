"""Who is tested: the profile that the options name, and the guard that keeps a load test away from Amazon's hosts."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from contract import profile as profiles
from contract.errors import BadProfile
from contract.profile import Profile
from load.errors import BadOptions
from load.settings import LoadOptions

_AMAZON = (".amazonphysicalstores.com",)


def subject(options: LoadOptions) -> Profile:
    """Return the connector's profile; BadOptions when there is none or it cannot be used."""
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
