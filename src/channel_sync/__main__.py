"""The command line. Commands import what they need when they run, so that `--help` is quick."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from channel_sync.domain.errors import ChannelSyncError
from channel_sync.main.process import CannotStart

app = typer.Typer(
    name="channel-sync",
    no_args_is_help=True,
    add_completion=False,
    # Its tracebacks would show local variables, secrets among them.
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys of tenants.", no_args_is_help=True)
encryption = typer.Typer(
    help="The key ring that credentials and addresses are encrypted with.", no_args_is_help=True
)
app.add_typer(keys, name="keys")
app.add_typer(encryption, name="encryption")


def main() -> None:
    """Run a command; what an operator can mend is said in one line, with exit code 1."""
    try:
        app()
    except (CannotStart, ChannelSyncError) as problem:
        print(f"channel-sync: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


def _tell_version(wanted: bool) -> None:
    if wanted:
        from channel_sync.api.contract.words import API_VERSION

        print(f"channel-sync {version('channel-sync')}, contract {API_VERSION}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version, and end.")
    ] = False,
) -> None:
    """Connects seller accounts at marketplaces: orders arrive by themselves, listings show the right stock."""


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; safe to run from two places at once."""
    from channel_sync.cli import admin

    print(f"The database is at schema {admin.migrate()}.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.", min=0, max=65535)] = 8000,
) -> None:
    """Answer the API, and run the jobs unless they are switched off."""
    from channel_sync.cli import serving

    serving.serve(host, port)


@app.command()
def worker(
    health_port: Annotated[
        int | None, typer.Option(help="Port to answer /health/* on; 0 picks a free one.", min=0, max=65535)
    ] = None,
    health_host: Annotated[str, typer.Option(help="Address to answer it on.")] = "127.0.0.1",
) -> None:
    """Run jobs from the queue of CHANNEL_SYNC_JOBS=distributed; any number of workers may."""
    from channel_sync.cli import serving

    serving.work(health_host, health_port)


@app.command()
def demo(
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on; by default 8000, or any if that is taken.", min=0, max=65535),
    ] = None,
) -> None:
    """Start the service with a simulated Wish; everything it needs is made in var/demo."""
    from channel_sync.cli import serving

    serving.demo(port)


@app.command()
def openapi(
    output: Annotated[str, typer.Option(help="File to write, or - for standard output.")] = "openapi/openapi.json",
) -> None:
    """Write the contract of the API."""
    from channel_sync.cli import serving

    text = serving.openapi()
    if output == "-":
        sys.stdout.write(text)
        return
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    Path(output).write_text(text)


@keys.command("create")
def create_key(
    tenant: Annotated[str, typer.Option(help="Whose key it is.")],
    scopes: Annotated[str, typer.Option(help="Comma-separated scopes, or the name of a preset.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
) -> None:
    """Make a key; it is printed once, alone on the last line."""
    from channel_sync.cli import admin

    key, secret = admin.create_key(tenant, scopes, name)
    print(f"{key.id} for tenant {key.tenant}: {', '.join(key.scopes)}")
    print(secret.value)


@keys.command("list")
def list_keys(tenant: Annotated[str, typer.Option(help="Whose keys.")]) -> None:
    """List the keys of a tenant."""
    from channel_sync.cli import admin

    for key in admin.list_keys(tenant):
        state = "revoked" if key.revoked_at else "active"
        print(f"{key.id}  …{key.last4}  {state}  {key.created_at:%Y-%m-%d}  {key.name}  {','.join(key.scopes)}")


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id, as listed.")],
    tenant: Annotated[str, typer.Option(help="Whose key it is.")],
) -> None:
    """Revoke a key; within a second nobody can use it."""
    from channel_sync.cli import admin

    admin.revoke_key(tenant, key_id)
    print(f"{key_id} is revoked.")


@encryption.command("new-key")
def new_key() -> None:
    """Print a random key; put it first in CHANNEL_SYNC_ENCRYPTION_KEYS and keep the older ones behind it."""
    from channel_sync.cli import admin

    print(admin.new_encryption_key())


@encryption.command("rotate")
def rotate() -> None:
    """Encrypt everything under the first key, while the service runs."""
    from channel_sync.cli import admin

    print(f"{admin.rotate_encryption()} rows were re-encrypted; older keys can be removed.")


if __name__ == "__main__":
    main()
