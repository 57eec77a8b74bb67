"""No file grows past one sitting's reading."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST = 300


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_no_source_file_is_longer_than_300_lines():
    files = [
        file for folder in ("src", "tests", "benchmarks", "migrations") for file in (ROOT / folder).rglob("*.py")
    ]
    long = {str(file.relative_to(ROOT)): lines(file) for file in files if lines(file) > LONGEST}

    assert len(files) > 100
    assert long == {}


def test_the_makefile_stays_under_60_lines():
    assert lines(ROOT / "Makefile") < 60
