"""The command line imports heavy libraries, and the other packages, only inside the commands that need them."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {
    "boto3", "conformance", "jwo_contract", "cryptography", "fastapi", "httpx", "hypothesis", "jinja2",
    "jsonschema", "jsonschema_rs", "load", "locust", "moto", "pydantic", "pytest", "pytest_bdd", "qrcode",
    "reference_connector", "simulator", "starlette", "uvicorn", "yaml",
}  # fmt: skip

HELP_OF_ALL = """
import contextlib, io, json, sys
import typer.main
from jwo.cli import app

def paths(command, before=()):
    yield before
    for name, child in getattr(command, "commands", {}).items():
        yield from paths(child, (*before, name))

command = typer.main.get_command(app)
shown = {}
for words in paths(command):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        command([*words, "--help"], prog_name="jwo")
    shown[" ".join(words)] = text.getvalue()
json.dump({"shown": shown, "loaded": sorted({name.partition(".")[0] for name in sys.modules})}, sys.stdout)
"""


IMPORT = "import json, sys, jwo.cli; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
TYPERS_OWN = {"pydantic"}
"""Typer itself converts some parameters with these."""


def test_import_loads_no_heavy_library() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    assert sorted(HEAVY & set(json.loads(ran.stdout))) == []


def test_help_of_every_command_loads_no_heavy_library() -> None:
    ran = subprocess.run([sys.executable, "-c", HELP_OF_ALL], capture_output=True, text=True, check=True)
    result = json.loads(ran.stdout)
    assert {"certify", "platform", "shop", "load", "catalog upload"} < result["shown"].keys()
    assert all("Usage" in text for text in result["shown"].values())
    assert sorted((HEAVY - TYPERS_OWN) & set(result["loaded"])) == []
