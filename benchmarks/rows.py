"""The table that the measurements print."""


def row(what: str, measured: str, goal: str = "") -> None:
    """One line, shown at once."""
    print(f"| {what} | {measured} | {goal} |", flush=True)
