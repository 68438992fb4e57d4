"""Prepares the folder that a command writes its reports to."""

from __future__ import annotations

import os
from pathlib import Path

from jwo.errors import Usage


def prepare_folder(out: Path) -> None:
    """Create the folder of the reports before a run. Raises Usage if the folder is not writable."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        trial = out / f".{os.getpid()}.trial"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise Usage(f"cannot write reports to {out} ({error.strerror}); name another folder with --out") from error
