"""The command line. Has no logic of its own: `pipeline/commands/` holds the commands, by kind of work.

In: words and settings files. Out: exit codes 0 done, 1 done with topics held back, 2 wrong usage or settings,
3 stopped by a brake, 4 store or network failed, 5 another run published first.
"""

from __future__ import annotations

import typer

from pipeline.commands import archive, bundles, content, decisions, delivery, operate, preview, rights

app = typer.Typer(
    help="Topic XML in; licensed, proven, reproducible bundles out, one per partner site.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
ROOMS = {
    "From topics to bundles": content,
    "While you write": preview,
    "Take down, correct, put back": decisions,
    "A site's past and its end": archive,
    "On schedule": operate,
    "Terms over time": rights,
    "Keys, signatures, the store": delivery,
    "For partners": bundles,
}
for title, room in ROOMS.items():
    for command in (*room.commands.registered_commands, *room.commands.registered_groups):
        command.rich_help_panel = title
    app.add_typer(room.commands)


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
