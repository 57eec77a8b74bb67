"""The platform's applications follow the settings while the process runs."""

import logging
from pathlib import Path

import pytest

from channel_sync.domain.channel import Environment
from channel_sync.main.platform_apps import LOOK_EVERY_S, PlatformAppsOfSettings
from channel_sync.settings import Settings, read_settings

SECRET = "CHANNEL_SYNC_WISH_APP_CLIENT_SECRET"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A secrets folder, as an orchestrator mounts it."""
    monkeypatch.setenv("CHANNEL_SYNC_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("CHANNEL_SYNC_WISH_APP_CLIENT_ID", "6b0467867f6ec4c61b00d1a3")
    (tmp_path / SECRET).write_text("the-first-secret\n")
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def apps(folder: Path, clock: Clock) -> PlatformAppsOfSettings:
    return PlatformAppsOfSettings(read_settings(), clock=clock)


def secret(apps: PlatformAppsOfSettings, environment: Environment = Environment.PRODUCTION) -> str | None:
    app = apps.find("wish", environment)
    return None if app is None else app.client_secret.value


def test_an_app_is_that_of_its_environment(apps: PlatformAppsOfSettings):
    app = apps.find("wish", Environment.PRODUCTION)

    assert app is not None
    assert (app.client_id, app.of_platform) == ("6b0467867f6ec4c61b00d1a3", True)
    assert app.client_secret.value == "the-first-secret"
    assert apps.find("wish", Environment.SANDBOX) is None
    assert apps.find("elsewhere", Environment.PRODUCTION) is None


def test_another_secret_in_the_folder_counts_without_a_restart(apps, folder, clock):
    (folder / SECRET).write_text("the-second-secret")
    clock.now += LOOK_EVERY_S - 0.1
    assert secret(apps) == "the-first-secret"

    clock.now += 0.1

    assert secret(apps) == "the-second-secret"


def test_an_app_of_the_other_environment_is_added_without_a_restart(apps, folder, clock):
    (folder / "CHANNEL_SYNC_WISH_SANDBOX_APP_CLIENT_ID").write_text("sandbox-app")
    (folder / "CHANNEL_SYNC_WISH_SANDBOX_APP_CLIENT_SECRET").write_text("sandbox-secret")
    clock.now += LOOK_EVERY_S

    assert (secret(apps, Environment.SANDBOX), secret(apps)) == ("sandbox-secret", "the-first-secret")


@pytest.mark.parametrize("broken", ["", "with a blank in it", None])
def test_a_secret_that_cannot_be_read_leaves_the_one_before(apps, folder, clock, caplog, broken):
    if broken is None:
        (folder / SECRET).unlink()
    else:
        (folder / SECRET).write_text(broken)
    clock.now += LOOK_EVERY_S

    with caplog.at_level(logging.ERROR):
        assert secret(apps) == "the-first-secret"

    [told] = caplog.messages
    assert SECRET in told
    assert "blank in it" not in told


def test_settings_are_not_read_again_while_the_folder_is_as_it_was(folder, clock):
    reads = []

    def read() -> Settings:
        reads.append(clock.now)
        return read_settings()

    apps = PlatformAppsOfSettings(read_settings(), read, clock)
    for _ in range(5):
        clock.now += LOOK_EVERY_S
        assert secret(apps) == "the-first-secret"
    assert reads == []

    # As an orchestrator exchanges it: another file under the same name.
    (folder / "new").write_text("the-other-secret")
    (folder / "new").replace(folder / SECRET)
    clock.now += LOOK_EVERY_S

    assert (secret(apps), len(reads)) == ("the-other-secret", 1)
