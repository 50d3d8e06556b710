"""A backup is whole, private, refused where it does not fit, and never brings back what was erased."""

from __future__ import annotations

import json
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from bot.core.durations import parse
from bot.operations import backup, erasure_log
from bot.operations.lock import only_one
from tests.cli.data_folder import configured

ANA = "@ana:example.org"
DAY = 86_400_000


def run(*arguments: object, exit_code: int = 0) -> str:
    runner = CliRunner(env={"LC_ALL": "en_US.UTF-8"})
    result = runner.invoke(main, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An installation with a link that Ana shared."""
    folder = tmp_path / "here"
    folder.mkdir()
    made = configured(folder)
    run("import", made, "transparency", folder / "links.html", "--yes", "--as", ANA)
    return made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "there" / "config.yaml"


def change(config: Path, sql: str) -> None:
    with closing(sqlite3.connect(config.parent / "data" / "faro.db")) as db, db:
        db.execute(sql)


def test_a_backup_is_private_and_restores_what_was_there(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    made = tmp_path / "copy"
    run("backup", config, made)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    said = run("restore", made, elsewhere)
    assert "could not now" in said  # nobody answers at the homeserver's address
    assert "Example" in run("find", elsewhere, "transparency", "example")
    for file in elsewhere.parent.rglob("*"):
        assert not file.stat().st_mode & 0o077, file


def test_the_device_and_the_token_stay_where_they_are(config: Path, tmp_path: Path) -> None:
    data = config.parent / "data"
    (data / "session.json").write_text(json.dumps({"device_id": "DEVICE"}), "utf-8")
    (data / "crypto").mkdir()
    for name in ("DEVICE.db", "identity.json"):
        (data / "crypto" / name).write_text("x", "utf-8")
    (data / "crypto" / "DEVICE.db").unlink()
    run("backup", config, tmp_path / "copy")
    with tarfile.open(tmp_path / "copy") as archive:
        assert set(archive.getnames()) == {
            "manifest.json",
            "config/config.yaml",
            "data/faro.db",
            "data/crypto/identity.json",
        }


def test_with_a_passphrase_nothing_of_it_can_be_read(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("a long passphrase\n", "utf-8")
    wrong.write_text("another one\n", "utf-8")
    made = tmp_path / "copy"
    run("backup", config, made, "--passphrase-file", right)
    content = made.read_bytes()
    assert b"example.org" not in content
    assert b"homeserver" not in content
    assert "encrypted" in run("restore", made, elsewhere, exit_code=1)
    assert "wrong" in run("restore", made, elsewhere, "--passphrase-file", wrong, exit_code=1)
    run("restore", made, elsewhere, "--passphrase-file", right)
    assert "Example" in run("find", elsewhere, "transparency", "example")


def test_nothing_is_overwritten(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    made = tmp_path / "copy"
    run("backup", config, made)
    assert "exists already" in run("backup", config, made, exit_code=1)
    assert "exists already" in run("restore", made, config, exit_code=1)
    elsewhere.parent.mkdir()
    (elsewhere.parent / "data").mkdir()
    (elsewhere.parent / "data" / "session.json").write_text("{}", "utf-8")
    assert "exists already" in run("restore", made, elsewhere, exit_code=1)
    assert not elsewhere.exists()


@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "something else"])
def test_a_damaged_backup_is_refused(harm: str, config: Path, elsewhere: Path, tmp_path: Path) -> None:
    made = tmp_path / "copy"
    run("backup", config, made)
    content = made.read_bytes()
    made.chmod(0o600)
    made.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "changed": content.replace(b"Transparency", b"transparencY", 1),
            "emptied": b"",
            "something else": b"%PDF-1.7" * 1_000,
        }[harm]
    )
    assert "damaged" in run("restore", made, elsewhere, exit_code=1)
    assert not elsewhere.exists()


def test_a_backup_of_a_newer_program_is_refused(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    change(config, "INSERT INTO core_migrations VALUES ('knowledge', 999)")
    made = tmp_path / "copy"
    with pytest.MonkeyPatch.context():
        run("backup", config, made)
    assert "newer than this program" in run("restore", made, elsewhere, exit_code=1)
    assert not elsewhere.exists()


def test_before_the_first_start_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    assert "never run" in run("backup", configured(tmp_path), tmp_path / "copy", exit_code=1)
    assert not (tmp_path / "copy").exists()


def test_only_the_oldest_of_its_own_backups_are_thrown_away(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "faro-faro-notes.txt").write_text("mine", "utf-8")
    old = folder / "faro-faro-20200101T000000Z.faro-backup"
    other = folder / "faro-other-20200101T000000Z.faro-backup"
    for file in (old, other):
        file.write_text("x", "utf-8")
    assert str(old) in run("backup", config, folder, "--keep", "30d")
    assert not old.exists()
    assert other.exists()
    assert len(list(folder.glob("faro-faro-2*"))) == 1
    assert "must be a folder" in run("backup", config, tmp_path / "file", "--keep", "30d", exit_code=2)
    assert backup.drop_old(folder, "@faro:example.org", parse("30d"), 4_000_000_000_000)


def test_what_was_erased_since_the_copy_is_erased_again(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    made = tmp_path / "copy"
    run("backup", config, made)
    run("forget", config, ANA, "--yes")
    log = config.parent / "data" / erasure_log.FILE
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert ANA in log.read_text("utf-8")
    assert "1 erasure was done again" in run("restore", made, elsewhere, "--erasures", log)
    assert b"ana:example" not in (elsewhere.parent / "data" / "faro.db").read_bytes()


def test_a_purged_result_does_not_come_back(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    made = tmp_path / "copy"
    run("backup", config, made)
    run("purge", config, "transparency", "2", "--yes")
    with (config.parent / "data" / erasure_log.FILE).open("a", encoding="utf-8") as log:
        log.write('{"at": 1, "own')  # the machine died here
    run("restore", made, elsewhere, "--erasures", log.name)
    assert "https://example.org/\n" not in run("export", elsewhere, "transparency")
    assert '"url": "https://example.org/"' not in run("export", elsewhere, "transparency")


def test_what_was_erased_before_the_copy_is_not_erased_again(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    run("forget", config, ANA, "--yes")
    run("import", config, "transparency", config.parent / "links.html", "--yes", "--as", ANA, "--label", "green")
    made = tmp_path / "copy"
    run("backup", config, made)
    said = run("restore", made, elsewhere, "--erasures", config.parent / "data" / erasure_log.FILE)
    assert "done again" not in said


def test_a_moved_installation_takes_everything_along_and_does_not_start_here(
    config: Path, elsewhere: Path, tmp_path: Path
) -> None:
    data = config.parent / "data"
    (data / "session.json").write_text("{}", "utf-8")
    (data / "crypto").mkdir()
    (data / "crypto" / "DEVICE.db").write_text("keys", "utf-8")
    made = tmp_path / "moved"
    with only_one(data):
        assert "stop it first" in run("move", config, made, exit_code=1)
    assert not made.exists()
    run("move", config, made)
    assert "was moved away" in run("run", config, exit_code=1)
    run("restore", made, elsewhere)
    there = elsewhere.parent / "data"
    assert (there / "session.json").read_text("utf-8") == "{}"
    assert (there / "crypto" / "DEVICE.db").read_text("utf-8") == "keys"
    assert not (there / backup.MOVED).exists()
