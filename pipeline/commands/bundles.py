"""Commands of those who receive bundles: pull, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.building import store_at
from pipeline.commands.options import Json, SiteOption
from pipeline.commands.speaking import echo_json, progress_shown, reported, say
from pipeline.errors import UsageError

commands = typer.Typer()


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py pull build/store bundles/riverside --partner riverside --root root.json\n\n"
    "  run_pipeline.py pull s3://bucket/prefix /srv/health --partner riverside --site portal"
)
def pull(
    store: Annotated[str, typer.Argument(help="The store: a folder or s3://bucket/prefix.")],
    dest: Annotated[
        Path, typer.Argument(help="Where the bundle goes: a link to a folder in DEST.d/ that is switched when all is there.")
    ],
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner.")],
    site: SiteOption = "",
    root: Annotated[
        Path | None, typer.Option(help="The publisher's root.json, got by a way you trust; the first pull needs it.")
    ] = None,
    endpoint_url: Annotated[str, typer.Option(help="Address of an S3 server other than Amazon's.")] = "",
    repair: Annotated[bool, typer.Option("--repair", help="Make the bundle anew even where the release is installed.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch what a partner's site has now: only what is missing, verified, switched in at once."""
    with reported():
        from outputs import pull as client
        from pipeline.sites import prefix_of

        with progress_shown() as progress:
            result = client.pull(
                store_at(store, endpoint_url),
                prefix_of(site or partner),
                dest,
                partner=partner,
                site=site or partner,
                root=root_file(root),
                repair=repair,
                progress=lambda done, total: progress("files", done, total),
            )
        echo_json(result.as_json()) if as_json else say(str(result))


def root_file(path: Path | None) -> bytes:
    """The bytes of --root. Raises UsageError where there is no such file."""
    try:
        return path.read_bytes() if path else b""
    except OSError as problem:
        raise UsageError(
            f"--root {path} can not be read", found=problem.strerror or "", fix="ask the publisher for root.json"
        ) from None


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
            echo_json({"dest": str(dest), "problems": problems})
        else:
            for problem in problems:
                say(problem)
            say(f"{dest}: {len(problems)} problems" if problems else f"{dest}: complete and unaltered")
    raise typer.Exit(1 if problems else 0)
