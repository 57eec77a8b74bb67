"""Which browser the walks use, and what is said when there is none."""

import shutil

NO_BROWSER = "!!! NO BROWSER: the browser tests were NOT RUN. Install Chromium."
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing beyond this machine has an address, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


def find_chromium() -> str | None:
    """The path of the first Chromium found."""
    return next(filter(None, map(shutil.which, NAMES)), None)
