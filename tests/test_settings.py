"""Settings: what is read, what is refused, and what the page about them says."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from channel_sync.setting_values import Docs, Jobs, Switch
from channel_sync.settings import Settings, SettingsError, read_settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings()
    return str(refused.value)


def shown(value: object) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    plain = ",".join(plain) if isinstance(plain, tuple) and plain else plain
    return "none" if plain in (None, ()) else f"`{plain}`"


def test_the_page_lists_every_setting_with_its_default():
    rows = dict(re.findall(r"^\| `(CHANNEL_SYNC_\w+)` \| ([^|]+?) \|", PAGE.read_text(), re.MULTILINE))
    defaults = {f"CHANNEL_SYNC_{name.upper()}": shown(one.default) for name, one in Settings.model_fields.items()}

    assert rows.pop("CHANNEL_SYNC_SECRETS_DIR") == "none"
    assert rows.pop("CHANNEL_SYNC_PUBLIC_URL") == "the address it listens on"
    assert defaults.pop("CHANNEL_SYNC_PUBLIC_URL") == "none"
    assert rows == defaults


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("CHANNEL_SYNC_JOBS", "OFF")
    monkeypatch.setenv("CHANNEL_SYNC_RETURN_ORIGINS", "https://app.example, http://localhost:3000")
    monkeypatch.setenv("CHANNEL_SYNC_PUBLIC_URL", "https://sync.example/")
    monkeypatch.setenv("CHANNEL_SYNC_DOCS", "key")

    settings = read_settings()

    assert settings.jobs is Jobs.OFF
    assert settings.docs is Docs.KEY
    assert settings.return_origins == ("https://app.example", "http://localhost:3000")
    assert settings.public_url == "https://sync.example"


@pytest.mark.parametrize(
    "path", ["//x", "/a//b", "/../x", "/a/./b", "/a b", "/%2e", "/a;b", "/a{b}", "/\u00e4", "/<script>"]
)
def test_an_odd_path_of_the_public_address_is_refused(monkeypatch, path):
    monkeypatch.setenv("CHANNEL_SYNC_PUBLIC_URL", f"https://hub.example{path}")

    assert refusal() == "CHANNEL_SYNC_PUBLIC_URL: must have a plain path, if any, like https://hub.example/sync"


def test_the_public_address_may_have_a_path(monkeypatch):
    monkeypatch.setenv("CHANNEL_SYNC_PUBLIC_URL", "https://hub.example/a/sync-1/")

    assert read_settings().public_url == "https://hub.example/a/sync-1"


@pytest.mark.parametrize("name", ["a b", 'a"b', "a\\b", "\u00e4", "a" * 201])
def test_an_odd_name_of_a_claim_is_refused(monkeypatch, name):
    monkeypatch.setenv("CHANNEL_SYNC_OIDC_SCOPE_CLAIM", name)

    assert refusal().startswith("CHANNEL_SYNC_OIDC_SCOPE_CLAIM: must be the name of a claim: visible ASCII")


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    monkeypatch.setenv("CHANNEL_SYNC_PUBLIC_URL", "")

    assert read_settings().public_url is None


def test_a_file_of_the_secrets_folder_is_read(monkeypatch, tmp_path):
    (tmp_path / "CHANNEL_SYNC_ENCRYPTION_KEYS").write_text("k1:abc\n")
    monkeypatch.setenv("CHANNEL_SYNC_SECRETS_DIR", str(tmp_path))

    assert read_settings().encryption_keys == SecretStr("k1:abc")


def test_the_environment_wins_over_the_secrets_folder(monkeypatch, tmp_path):
    (tmp_path / "CHANNEL_SYNC_WISH_RATE_PER_S").write_text("7")
    monkeypatch.setenv("CHANNEL_SYNC_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("CHANNEL_SYNC_WISH_RATE_PER_S", "9")

    assert read_settings().wish_rate_per_s == 9


def test_a_missing_secrets_folder_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("CHANNEL_SYNC_SECRETS_DIR", str(tmp_path / "nowhere"))

    assert refusal() == "CHANNEL_SYNC_SECRETS_DIR: there is no such folder"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CHANNEL_SYNC_DATABASE_URL", "mysql://user:CANARY@host/db"),
        ("CHANNEL_SYNC_DATABASE_URL", "postgresql://user:CANARY@host/db?pooler=session"),
        ("CHANNEL_SYNC_DATABASE_URL", "postgresql://user:CANARY@host/db?ssl=require"),
        ("CHANNEL_SYNC_DATABASE_URL", "postgresql://user:CANARY@host/db?sslmode=CANARY"),
        ("CHANNEL_SYNC_DATABASE_URL", "sqlite:///file.db?CANARY=1"),
        ("CHANNEL_SYNC_QUEUE_DATABASE_URL", "postgresql://user:CANARY@host/db?keepalives=CANARY"),
        ("CHANNEL_SYNC_QUEUE_DATABASE_URL", "sqlite:///CANARY.db"),
        ("CHANNEL_SYNC_PUBLIC_URL", "https://user:CANARY@host"),
        ("CHANNEL_SYNC_PUBLIC_URL", "ftp://CANARY"),
        ("CHANNEL_SYNC_RETURN_ORIGINS", "https://CANARY/path"),
        ("CHANNEL_SYNC_RETURN_ORIGINS", "*"),
        ("CHANNEL_SYNC_TRUSTED_PROXIES", "10.0.0.0/8, CANARY"),
        ("CHANNEL_SYNC_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CHANNEL_SYNC_BRAND_NAME", "CANARY" * 20),
        ("CHANNEL_SYNC_BRAND_NAME", "CANARY\n"),
        ("CHANNEL_SYNC_BRAND_COLOUR", "CANARY"),
        ("CHANNEL_SYNC_BRAND_COLOUR", "#ffcc00"),
        ("CHANNEL_SYNC_JOBS", "CANARY"),
        ("CHANNEL_SYNC_ORDER_INTERVAL_S", "14"),
        ("CHANNEL_SYNC_STOCK_INTERVAL_S", "0"),
        ("CHANNEL_SYNC_WISH_RATE_PER_S", "0"),
        ("CHANNEL_SYNC_SYNC_CONCURRENCY", "CANARY"),
        ("CHANNEL_SYNC_RATE_LIMIT_PER_S", "-1"),
        ("CHANNEL_SYNC_LOG_LEVEL", "CANARY"),
        ("CHANNEL_SYNC_WEBHOOK_ALLOWED", "10.0.0.0/99"),
        ("CHANNEL_SYNC_WISH_FILE_HOSTS", "https://CANARY"),
        ("CHANNEL_SYNC_WISH_FILE_HOSTS", "files.*"),
        ("CHANNEL_SYNC_OIDC_ISSUER", "https://issuer.example"),
    ],
)
def test_a_wrong_value_is_named_in_one_line_and_not_shown(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)

    said = refusal()

    assert said.startswith(variable)
    assert "CANARY" not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("PUBLIC_URL", "http://CANARY.example"),
        ("ADD_APP_URL", "http://CANARY.example/added"),
        ("WISH_PRODUCTION_URL", "http://CANARY.example"),
        ("WISH_SANDBOX_URL", "http://10.0.0.1/CANARY"),
        ("OIDC_ISSUER", "http://localhost.CANARY.example"),
    ],
)
def test_plain_http_goes_no_further_than_this_machine_unless_permitted(monkeypatch, name, address):
    monkeypatch.setenv("CHANNEL_SYNC_OIDC_AUDIENCE", "sync")
    monkeypatch.setenv("CHANNEL_SYNC_OIDC_ISSUER", "https://issuer.example")
    monkeypatch.setenv(f"CHANNEL_SYNC_{name}", address)

    said = refusal()

    assert said.startswith(f"CHANNEL_SYNC_{name}: plain http")
    assert "CANARY" not in said
    monkeypatch.setenv("CHANNEL_SYNC_INSECURE_HTTP", "on")
    assert read_settings().insecure_http is Switch.ON


@pytest.mark.parametrize("host", ["localhost", "wish.localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_this_machine_may_be_asked_by_plain_http(monkeypatch, host):
    monkeypatch.setenv("CHANNEL_SYNC_WISH_SANDBOX_URL", f"http://{host}:8001")

    assert read_settings().wish_sandbox_url == f"http://{host}:8001"


def test_settings_do_not_show_their_secrets():
    settings = Settings(encryption_keys=SecretStr("CANARY"), database_url=SecretStr("postgresql://u:CANARY@h/d"))

    assert "CANARY" not in repr(settings)


@pytest.mark.parametrize("app", ["WISH_APP", "WISH_SANDBOX_APP"])
@pytest.mark.parametrize("given", ["CLIENT_ID", "CLIENT_SECRET"])
def test_half_an_app_of_the_platform_is_refused(monkeypatch, app, given):
    monkeypatch.setenv(f"CHANNEL_SYNC_{app}_{given}", "CANARY")

    together = f"CHANNEL_SYNC_{app}_CLIENT_ID and CHANNEL_SYNC_{app}_CLIENT_SECRET go together"
    assert refusal() == f"{together}; one of them is missing"


@pytest.mark.parametrize("odd", ["CANARY with a blank", "CANARY\u00e4", "CANARY" * 40])
def test_an_odd_secret_of_the_platforms_app_is_refused_and_not_shown(monkeypatch, odd):
    monkeypatch.setenv("CHANNEL_SYNC_WISH_APP_CLIENT_ID", "app")
    monkeypatch.setenv("CHANNEL_SYNC_WISH_APP_CLIENT_SECRET", odd)

    assert refusal() == ("CHANNEL_SYNC_WISH_APP_CLIENT_SECRET: must be visible ASCII characters, at most 200")
