"""An address that no server can have is named, and is no bug of the kit."""

from __future__ import annotations

import pytest

from jwo_toolkit.reachability import NotReachable, check_reachable


@pytest.mark.parametrize("host", [".example.com", f"{'a' * 64}.com"])
def test_name_that_no_host_can_have_is_named(host: str) -> None:
    with pytest.raises(NotReachable, match="is not a host name; correct the address"):
        check_reachable(f"http://{host}")
