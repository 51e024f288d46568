"""The editors' preview: preview.

In: words. Out: a web app on this machine's loopback until Ctrl-C, or a folder of drafts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.building import DEFAULT_CONFIG, build
from pipeline.commands.clock import today
from pipeline.commands.options import AsOf, Config, SiteOption, Topics
from pipeline.commands.speaking import progress_shown, reported, say

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


@group.command(
    epilog="Examples:\n\n  run_pipeline.py preview export drafts -t asthma\n\n  run_pipeline.py preview export out --site app"
)
def export(
    directory: Annotated[Path, typer.Argument(help="A folder that does not exist, or is empty.", metavar="DIR")],
    config: Config = DEFAULT_CONFIG,
    site: SiteOption = "",
    topic: Topics = None,
    as_of: AsOf = "",
) -> None:
    """Write pages for review by mail, each marked as a draft: as a site gets them, or everything."""
    with reported():
        from pipeline.preview import export as exporting
        from pipeline.preview.project import Project
        from pipeline.preview.rendering import Renderer
        from pipeline.preview.viewpoints import Desks, Viewpoint

        snapshot = Project(lambda: build(config), config).load()
        renderer = Renderer(Desks(today(as_of)))
        with progress_shown() as progress:
            done, left = exporting.drafts(snapshot, renderer, Viewpoint(site), topic or (), directory, progress)
        say(f"wrote {done} topics into {directory}" + (f"; {left} could not be rendered ('check' says why)" if left else ""))
    raise typer.Exit(1 if left else 0)


def _ready(address: str, open_: bool) -> None:
    say(f"preview: {address}  (Ctrl-C ends it)")
    if open_:
        typer.launch(address)
