"""Singer: a tap of ours piped into target-postgres. Run by the interpreter of Singer's own environment.

Two processes, start-up included. The target upserts, loads by COPY and validates nothing: its fastest way.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATIENCE_S = 1200


def written(file: Path, content: Any) -> str:
    file.write_text(json.dumps(content))
    return str(file)


def one_pass(job: dict[str, Any], state: Path) -> float:
    """Seconds of one pass, from where the state ends; the state is then that of this pass."""
    folder = Path(job["folder"])
    reading = {"url": job["url"], "token": job["token"], "start_date": job["since"]}
    writing = {
        "sqlalchemy_url": job["store"].replace("postgresql:", "postgresql+psycopg:", 1),
        "default_target_schema": "shop",
        "use_copy": True,
        "load_method": "upsert",
        "validate_records": False,
    }
    tap = [sys.executable, str(HERE / "singer_tap.py"), "--config", written(folder / "tap.json", reading)]
    target = [
        str(Path(sys.executable).parent / "target-postgres"),
        "--config",
        written(folder / "target.json", writing),
    ]
    started = time.perf_counter()
    with subprocess.Popen(
        [*tap, *(("--state", str(state)) if state.exists() else ())], stdout=subprocess.PIPE
    ) as source:
        stored = subprocess.run(target, stdin=source.stdout, stdout=subprocess.PIPE, timeout=PATIENCE_S)
    seconds = time.perf_counter() - started
    if source.returncode or stored.returncode:
        sys.exit(f"the tap ended with {source.returncode}, the target with {stored.returncode}")
    state.write_bytes(stored.stdout.splitlines()[-1])
    return seconds


def main() -> None:
    job = json.loads(sys.argv[1])
    state = Path(job["folder"]) / "state.json"
    first, *again = (one_pass(job, state) for _ in range(1 + job["passes"]))
    print(json.dumps({"first_s": first, "again_s": again}))


if __name__ == "__main__":
    main()
