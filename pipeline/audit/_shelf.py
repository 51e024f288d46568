"""The pages of a whole bundle (its list of topics, its style sheets): no script, no request to another host, no link that runs,
nothing that the site does not have.

In: finished files that no topic owns. Out: the problems of each, by its path. What a topic's own pages say is proven elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence

from pipeline.audit import _codes as codes
from pipeline.audit import _leaks as leaks
from pipeline.audit import _markup as markup
from pipeline.audit import _mentions as mentions
from pipeline.audit._css import sheet
from pipeline.audit._frame import leads_out
from pipeline.audit._leaks import Withheld
from pipeline.audit._reading import Problem, Unreadable
from pipeline.audit._requests import requests_of
from pipeline.contracts import OutputFile


def problems(files: Sequence[OutputFile]) -> Iterator[tuple[str, Problem]]:
    """Path and problem of every page and style sheet that does what none may."""
    for file in files:
        try:
            found = _of(file)
        except Unreadable as error:
            found = [Problem(codes.UNREADABLE, str(error))]
        yield from ((file.path, problem) for problem in dict.fromkeys(found))


def _of(file: OutputFile) -> list[Problem]:
    if file.media_type == "text/css":
        return [_asked(url, "style sheet") for url in sheet(markup.decode(file.data)).urls if leads_out(url)]
    if file.media_type != "text/html":
        return []
    root, found = markup.parse_html(markup.decode(file.data))
    asked = [_asked(request.url, request.how) for request in requests_of(root, file.path) if leads_out(request.url)]
    return [*found, *markup.active(root), *asked, *markup.schemes(markup.links(root))]


def _asked(url: str, how: str) -> Problem:
    return Problem(codes.REQUEST, f"{how}: {url[:200]}")


def leaked(file: OutputFile, withheld: Withheld, own: Callable[[], Collection[str]]) -> Iterator[Problem]:
    """Whatever of a page or an index of topics names something withheld."""
    try:
        yield from dict.fromkeys(leaks.problems(leaks.in_parts(_said(file)), file.path, withheld, own))
    except (Unreadable, ValueError):
        return  # said elsewhere, or no file of ours


def _said(file: OutputFile) -> Iterator[tuple[str, str]]:
    if file.media_type == "text/html":
        yield from mentions.of_markup(markup.parse_html(markup.decode(file.data))[0])
    elif file.media_type == "application/json" and not file.path.endswith(".schema.json"):
        yield from mentions.of_json(json.loads(markup.decode(file.data)))
