"""`faro check` tells what is missing without being wrong."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_init import faro

ACCOUNT = "homeserver: https://matrix.example.org\nuser: '@faro:example.org'\n"


def test_a_password_that_cannot_be_read_is_told_and_is_no_mistake(tmp_path: Path) -> None:
    """Whoever checks a configuration need not have the password."""
    config = tmp_path / "config.yaml"
    config.write_text(f"{ACCOUNT}password_file: secret\n")
    checked = faro("check", config)
    assert checked.exit_code == 0
    assert "config.yaml:3:16: password_file: the file 'secret' cannot be read: there is no such file" in checked.stderr
    assert "the first “faro run” will" in checked.stderr
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "session.json").write_text("{}")
    assert "secret" not in faro("check", config).stderr, "a session needs no password"


def test_a_configuration_without_hubs_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(ACCOUNT)
    checked = faro("check", config)
    assert (checked.exit_code, checked.stdout) == (0, "0 hubs, no problem found.\n")
    assert "There is no hub yet" in checked.stderr
