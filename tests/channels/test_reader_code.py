from pathlib import Path

import pytest

from channel_sync.channels.reader_code import code_digest


def test_a_package_has_another_digest_once_its_code_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "some_reader"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "orders.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = code_digest("some_reader")
    (package / "notes.txt").write_text("not code")

    same = code_digest("some_reader")
    (package / "orders.py").write_text("A = 2\n")

    assert (same == before, code_digest("some_reader") == before) == (True, False)
