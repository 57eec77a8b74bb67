"""An installation without the packages that PostgreSQL needs."""

import os
import subprocess
import sys

WITHOUT_THE_DRIVER = "import sys; sys.modules['asyncpg'] = None; import channel_sync.__main__ as c; c.main()"


def test_postgresql_without_its_packages_is_told_in_one_line(tmp_path):
    settings = {"CHANNEL_SYNC_DATABASE_URL": "postgresql://a@127.0.0.1:1/b"}

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_DRIVER, "migrate"],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("channel-sync: CHANNEL_SYNC_DATABASE_URL: PostgreSQL needs more packages: pip install")
