"""The group `report`, to which several rooms add: one group of a name, or the later would hide the earlier."""

from __future__ import annotations

import typer

reports = typer.Typer(help="Reports to read, print and send on: what was live, who has which rights.", no_args_is_help=True)
