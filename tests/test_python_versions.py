"""A machine whose only Python is newer than those that there were: nothing turns it away."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
NEWER = ("3.14", "3.15", "3.20")

# The module that 3.14 has in its standard library is what backports.zstd was made from.
AS_ON_3_14 = """\
import sys
from types import ModuleType
from backports import zstd
sys.version_info = (3, 14, 0, "final", 0)
sys.modules["compression"] = ModuleType("compression")
sys.modules["compression"].zstd = sys.modules["compression.zstd"] = zstd
sys.modules["backports"] = sys.modules["backports.zstd"] = None
from channel_sync.persistence.rows.compression import Compression
both = Compression()
assert both.expand(both.compress(b"text" * 99, "any")) == b"text" * 99
"""


def test_no_newer_python_is_turned_away():
    allowed = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])

    assert all(version in allowed for version in NEWER)
    assert "3.10" not in allowed


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda lock: lock.name)
def test_a_lock_has_what_newer_ones_need_and_not_what_they_brought(lock):
    markers = dict(re.findall(r"^([\w.-]+)==\S+(?: ; (.*?))? \\$", lock.read_text(), re.MULTILINE))

    def is_installed(name: str, python: str) -> bool:
        environment = {"python_version": python, "python_full_version": f"{python}.0"}
        return not markers[name] or Marker(markers[name]).evaluate(environment)

    changed = {name for name in markers if is_installed(name, "3.13") is not is_installed(name, "3.14")}
    assert changed == {"backports-zstd"} & markers.keys()
    assert not any(is_installed(name, "3.20") for name in changed)
    assert len(markers) > 3


def test_from_3_14_on_the_standard_library_compresses():
    done = subprocess.run([sys.executable, "-c", AS_ON_3_14], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def pythons(folder: Path, **versions: str) -> None:
    """Interpreters that say they are of a version, and are started by this one."""
    for name, version in versions.items():
        program = folder / name.replace("_", ".")
        patched = f"import sys; sys.version_info = type('V', (tuple,), {{'releaselevel': '{version.split()[1]}'}})"
        number = tuple(map(int, version.split()[0].split(".")))
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{patched}({number}); exec(sys.argv[1])" "$2"\n')
        program.chmod(0o755)


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3_13": "3.13 final", "python3_14": "3.14 final"}, "python3.14"),
        ({"python3_12": "3.12 final", "python3_15": "3.15 beta"}, "python3.12"),
        ({"python3": "3.14 final"}, "python3"),
        ({"python3": "3.10 final"}, ""),
    ],
)
def test_make_takes_the_newest_python_that_is_finished(tmp_path, there, taken):
    pythons(tmp_path, **there)
    for name in ("sh", "seq"):
        (tmp_path / name).symlink_to(Path("/bin") / name)

    asked = subprocess.run(
        ["/usr/bin/make", "-f", ROOT / "Makefile", "-f", "-", "told"],
        input="told:\n\t$(info <$(PYTHON)>)\n",
        env={"PATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"<{taken}>" in asked.stdout, asked.stderr
