"""What commands say and refuse at their start."""

import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.processes import Deployment, refusal, run

from channel_sync.api.contract.words import API_VERSION

OPEN_TO_ALL = ("serve", "--host", "0.0.0.0", "--port", "0")
NOT_RANDOM = "QUJDREFCQ0RBQkNEQUJDREFCQ0RBQkNEQUJDREFCQ0Q="


@pytest.fixture
def migrated(tmp_path: Path, migrated_file: Path) -> Deployment:
    deployment = Deployment(tmp_path)
    shutil.copy(migrated_file, deployment.database)
    return deployment


def test_the_version_is_that_of_the_package_and_of_the_contract(tmp_path):
    said = run(Deployment(tmp_path, from_scratch=True), "--version")

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == f"channel-sync {version('channel-sync')}, contract {API_VERSION}\n"


@pytest.mark.parametrize("address", [None, "http://sync.example"])
def test_browsers_beyond_this_machine_are_not_sent_to_plain_http(migrated, address):
    assert "INSECURE_HTTP=on" in refusal(migrated, *OPEN_TO_ALL, CHANNEL_SYNC_PUBLIC_URL=address)


def test_plain_http_is_served_where_it_is_permitted(migrated):
    migrated.settings |= {"CHANNEL_SYNC_PUBLIC_URL": "http://sync.example", "CHANNEL_SYNC_INSECURE_HTTP": "ON"}
    migrated.from_scratch = True

    assert migrated.serve().stop() == 0


@pytest.mark.parametrize("command", [["migrate"], ["keys", "list", "--tenant", "acme"]])
def test_a_misspelt_setting_is_named_with_the_one_it_resembles(migrated, tmp_path, command):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "CHANNEL_SYNC_OIDC_AUDIENC").write_text("CANARY")
    misspelt = {
        "CHANNEL_SYNC_LOG_LEVLE": "CANARY",
        "CHANNEL_SYNC_QQQQQQ": "CANARY",
        "channel_sync_jobs": "embedded",
        "CHANNEL_SYNC_SECRETS_DIR": str(tmp_path / "secrets"),
    }

    said = run(migrated, *command, **misspelt)

    assert said.returncode == 0
    assert re.findall(r'"event": ?"([^"]+)"', said.stderr) == [
        "CHANNEL_SYNC_LOG_LEVLE is no setting and counts for nothing; CHANNEL_SYNC_LOG_LEVEL is one",
        "CHANNEL_SYNC_OIDC_AUDIENC is no setting and counts for nothing; CHANNEL_SYNC_OIDC_AUDIENCE is one",
        "CHANNEL_SYNC_QQQQQQ is no setting and counts for nothing",
    ]
    assert "CANARY" not in said.stderr


def test_a_key_that_can_be_guessed_is_refused_in_front_and_read_behind(migrated):
    guessed = f"old:{NOT_RANDOM}"
    new = migrated.command("encryption", "new-key").strip()

    said = refusal(migrated, "keys", "list", "--tenant", "acme", CHANNEL_SYNC_ENCRYPTION_KEYS=guessed)

    assert "CHANNEL_SYNC_ENCRYPTION_KEYS: Encryption key 1 is not random" in said
    assert NOT_RANDOM not in said
    migrated.settings["CHANNEL_SYNC_ENCRYPTION_KEYS"] = f"{new},{guessed}"
    assert migrated.command("encryption", "rotate")


@pytest.mark.parametrize("tenant", ["", " ", "\t", "a\nb", "a\x7fb", "x" * 201])
def test_a_tenant_has_a_name_that_can_be_seen(migrated, tenant):
    said = refusal(migrated, "keys", "create", "--tenant", tenant, "--scopes", "admin")

    assert said == "channel-sync: --tenant must be 1 to 200 characters that can be seen, and not blank"


def test_a_key_has_a_name_and_a_scope(migrated):
    create = ("keys", "create", "--tenant", "acme", "--scopes")

    assert "--name must be" in refusal(migrated, *create, "admin", "--name", " ")
    assert "--scopes names none" in refusal(migrated, *create, " , ")
    assert migrated.command("keys", "list", "--tenant", "acme") == ""
