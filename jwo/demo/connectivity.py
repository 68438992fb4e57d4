"""Runs the deployed function of the connectivity test as AWS Lambda does, since the simulated AWS runs no functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from jwo.aws import REGION, DeployedCaller
from jwo.errors import Broken

_WITHIN_S = 30
_RUNTIME = """
import json, os, sys
names = {}
exec(compile(sys.stdin.read(), "index.py", "exec"), names)
print(json.dumps(names[os.environ["JWO_HANDLER"]]({}, None)))
"""


def run_caller(caller: DeployedCaller) -> Any:  # noqa: ANN401 - any JSON
    """Run the function with its variables and its role's credentials; returns its result. Raises Broken if it fails."""
    done = subprocess.run(  # noqa: S603 - the code of this kit's template
        [sys.executable, "-P", "-c", _RUNTIME],
        input=caller.code,
        env=_environment(caller),
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    if done.returncode:
        raise Broken(f"the function of the connectivity test failed: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def _environment(caller: DeployedCaller) -> dict[str, str]:
    """Return the variables that AWS Lambda sets, and those of the function."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": caller.key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": caller.key.secret_access_key,
        "AWS_SESSION_TOKEN": caller.key.session_token or "",
        "JWO_HANDLER": caller.handler,
        **caller.variables,
    }
