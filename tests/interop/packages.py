"""The packages `peer.mjs` needs, installed beside the Python environment that runs the tests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.testing.patience import patient

HERE = Path(__file__).parent
NODE = 20
INSTALL_WITHIN = 45  # seconds
OUR_FAULT = ("EINTEGRITY", "EUSAGE", "EJSONPARSE")  # npm's codes for what no registry can be blamed for


class UnavailableError(Exception):
    """This machine cannot have a modern client; the text says why."""


def _missing() -> str | None:
    """Why there can be no modern client on this machine; None if there can."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return f"Node ≥ {NODE} and npm are needed; {'npm' if node else 'node'} is not there"
    asked = subprocess.run(  # noqa: S603 - fixed words
        [node, "--version"], capture_output=True, text=True, timeout=patient(20), check=True
    )
    version = asked.stdout
    if int(version.lstrip("v").split(".")[0]) < NODE:
        return f"Node ≥ {NODE} is needed; this is {version.strip()}"
    return None


def packages() -> Path:
    """`node_modules` as package-lock.json wants it, installed once for this Python environment.

    Raises `UnavailableError` without Node, npm or a registry, and `RuntimeError` if the lock itself is at fault.
    """
    if why := _missing():
        raise UnavailableError(why)
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    kept = Path(sys.prefix if os.access(sys.prefix, os.W_OK) else tempfile.gettempdir()) / f"faro-interop-{lock}"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="faro-interop-") as folder:
            new = Path(folder) / "new"
            _install(new)
            with contextlib.suppress(OSError):  # another run was quicker
                new.rename(kept)
    return kept / "node_modules"


def _install(folder: Path) -> None:
    folder.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, folder)
    npm = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000"]
    try:
        done = subprocess.run(npm, cwd=folder, capture_output=True, text=True, timeout=INSTALL_WITHIN, check=False)  # noqa: S603 - fixed words
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"npm did not install matrix-js-sdk within {INSTALL_WITHIN} s") from None
    if done.returncode and any(f"code {fault}" in done.stderr for fault in OUR_FAULT):
        raise RuntimeError(done.stderr)
    if done.returncode:
        wrong = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise UnavailableError(f"npm could not install matrix-js-sdk: {' '.join(wrong[:3])}")
