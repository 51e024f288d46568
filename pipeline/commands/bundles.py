"""Commands of those who receive bundles: pull, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.clock import now
from pipeline.commands.options import Json, SiteOption
from pipeline.commands.speaking import echo_json, progress_shown, reported, say
from pipeline.errors import SyndicationError

commands = typer.Typer()


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py pull build/store bundles/riverside --partner riverside --root root.json\n\n"
    "  run_pipeline.py pull https://content.example.org /srv/health --partner riverside --hook 'systemctl reload web'"
)
def pull(
    store: Annotated[str, typer.Argument(help="The store: https://host/prefix, s3://bucket/prefix or a folder.")],
    dest: Annotated[
        Path, typer.Argument(help="Where the bundle goes: a link to a folder in DEST.d/ that is switched when all is there.")
    ],
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner.")],
    site: SiteOption = "",
    root: Annotated[
        Path | None, typer.Option(help="The publisher's root.json, got by a way you trust; the first pull needs it.")
    ] = None,
    endpoint_url: Annotated[str, typer.Option(help="Address of an S3 server other than Amazon's.")] = "",
    ca_file: Annotated[str, typer.Option(help="Certificates of a private authority, for https://.")] = "",
    repair: Annotated[bool, typer.Option("--repair", help="Make the bundle anew even where the release is installed.")] = False,
    hook: Annotated[str, typer.Option(help="A command to run after a new bundle is in place; again, until it succeeds.")] = "",
    no_acknowledge: Annotated[bool, typer.Option("--no-acknowledge", help="Do not write ack/<sequence>.json.")] = False,
    name: Annotated[str, typer.Option(help="Who installs, for the acknowledgement.")] = "",
    statement: Annotated[str, typer.Option(help="A sentence for the acknowledgement.")] = "",
    as_json: Json = False,
) -> None:
    """Fetch what a partner's site has now: only what is missing, verified, switched in at once."""
    with reported():
        from outputs import client

        request = client.Request(
            store, dest, partner, site, root, endpoint_url, ca_file, repair, hook, not no_acknowledge, name, statement
        )
        try:
            with progress_shown() as progress:
                found = client.run(request, now(), lambda done, total: progress("files", done, total))
        except SyndicationError as problem:
            echo_json(client.failure(problem)) if as_json else None
            raise
        code = client.exit_code(found)
        echo_json({**found, "exit_code": code}) if as_json else say("\n".join(client.lines(found)))
        raise typer.Exit(code)


@commands.command(epilog="Examples:\n\n  run_pipeline.py verify bundles/riverside")
def verify(
    dest: Annotated[Path, typer.Argument(help="A pulled bundle.")],
    as_json: Json = False,
) -> None:
    """Check that a pulled bundle is complete and unaltered."""
    with reported():
        from outputs import pull as client

        problems = client.verify(dest)
        if as_json:
            echo_json({"dest": str(dest), "problems": problems, "checked": client.checked_against(dest)})
        else:
            for problem in problems:
                say(problem)
            say(f"{dest}: {len(problems)} problems" if problems else f"{dest}: complete and unaltered")
            say(f"checked: {client.checked_against(dest)}")
    raise typer.Exit(1 if problems else 0)
