"""The editors' preview: preview.

In: words. Out: a web app on this machine's loopback until Ctrl-C, or a folder of drafts.
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.commands.building import DEFAULT_CONFIG, build
from pipeline.commands.clock import today
from pipeline.commands.options import AsOf, Config
from pipeline.commands.speaking import reported, say

commands = typer.Typer()
group = typer.Typer(invoke_without_command=True, no_args_is_help=False)
commands.add_typer(group, name="preview")


@group.callback(
    epilog="Examples:\n\n  run_pipeline.py preview --open\n\n  run_pipeline.py preview -c examples/syndication.toml --port 8077"
)
def preview(
    context: typer.Context,
    config: Config = DEFAULT_CONFIG,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on this machine; 0: any that is free.")] = 8077,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the web browser.")] = False,
    as_of: AsOf = "",
) -> None:
    """Show topics as every partner's readers will see them, while you write. Nothing in it can publish."""
    if context.invoked_subcommand:
        return
    with reported():
        from pipeline.preview import app
        from pipeline.preview.session import Session

        build(config)  # what is wrong with the settings is said here, not in a browser
        session = Session(lambda: build(config), config, today(as_of))
        app.serve(session, app.listening(port), lambda address: _ready(address, open_))


def _ready(address: str, open_: bool) -> None:
    say(f"preview: {address}  (Ctrl-C ends it)")
    if open_:
        typer.launch(address)
