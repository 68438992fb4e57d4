"""The connector under test: reads its profile, and refuses Amazon's hosts and rates above the declared limit."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from jwo_contract import profile as profiles
from jwo_contract.errors import BadProfile
from jwo_contract.profile import Profile
from jwo_toolkit.reachability import NotReachable, check_reachable
from load.errors import BadOptions
from load.settings import LoadOptions

_AMAZON = (".amazonphysicalstores.com",)


def target(options: LoadOptions) -> Profile:
    """Return the connector's profile. Raises BadOptions if there is none, or if it is not usable."""
    if not (options.connector or options.profile):
        raise BadOptions("there is no connector to test", "add --connector URL or --profile FILE")
    try:
        profile = profiles.load(Path(options.profile)) if options.profile else profiles.for_url(options.connector)
        if options.connector:
            given = profiles.for_url(options.connector).connector.url
            profile = profile.model_copy(update={"connector": profile.connector.model_copy(update={"url": given})})
    except BadProfile as error:
        raise BadOptions(str(error)) from error
    host = urlsplit(profile.connector.url).hostname or ""
    if profile.house.auth.block_amazon_hosts and host.endswith(_AMAZON):
        raise BadOptions(f"{host} is a host of Amazon", "name a retailer's own connector; a load test calls no other")
    return profile


def check_rate_limit(options: LoadOptions, profile: Profile) -> None:
    """Check that the rate is not above the connector's declared limit. Raises BadOptions if it is."""
    limit = profile.at_usual_address.limits.rate_limit_per_second
    if limit and options.rate > limit:
        raise BadOptions(
            f"--rate {options.rate:g} is above the {limit}/s that [limits] rate_limit_per_second declares",
            f"set --rate to {limit} or less (random arrivals come in bursts), or raise and declare the limit",
        )


def reach(profile: Profile) -> None:
    """Check that the connector accepts connections. Raises BadOptions if it does not."""
    try:
        check_reachable(profile.connector.url, profile.connector.ca_file)
    except NotReachable as error:
        problem, _, hint = str(error).partition("; ")
        raise BadOptions(problem, hint) from error
