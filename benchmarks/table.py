"""The table that `make bench` prints."""


def row(what: str, measured: str, goal: str = "") -> None:
    """Print a row at once: the next one may take minutes."""
    print(f"| {what} | {measured} | {goal} |", flush=True)
