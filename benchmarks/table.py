"""The table that `make bench` prints, and what keeps a figure out of it."""


class WrongResult(Exception):
    """What was done is not what was asked for: there is no figure."""


def row(what: str, measured: str, goal: str = "") -> None:
    """Print a row at once: the next one may take minutes."""
    print(f"| {what} | {measured} | {goal} |", flush=True)
