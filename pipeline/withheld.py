"""What a site does not have, by every name that it could be recognised by: for the proof that no file of the site names it.

In: a site's plan, every topic of the inputs, a topic as read and as the site's view of it. Out: `audit.Withheld`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from pipeline import audit
from pipeline.contracts import Assets, View
from pipeline.editions import Key, SitePlan
from pipeline.topic import Topic, plain

# Names in paths that belong to no topic; one that has such an id is known by its folder alone.
_COMMON: Final = frozenset(
    (
        *("index", "print", "handout", "topic", "rights", "media", "assets", "catalog", "codes", "withdrawn"),
        *("nav", "title", "style", "package", "container", "mimetype", "cover", "logo", "publisher", "titlepage"),
        *("epub", "html", "text", "json"),
    )
)


# Per process: what each site does not have, with the plan that says so.
_sites: dict[str, tuple[SitePlan, audit.Withheld]] = {}


def remembered(plan: SitePlan, titles: Mapping[Key, str], publisher: str) -> audit.Withheld:
    """As `from_site`, made once per process and plan: a further round of a run, or another run, has another plan."""
    kept = _sites.get(plan.site.prefix)
    if kept is None or kept[0] is not plan:
        kept = _sites[plan.site.prefix] = plan, from_site(plan, titles, publisher)
    return kept[1]


def from_site(plan: SitePlan, titles: Mapping[Key, str], publisher: str, once: Collection[Key] = ()) -> audit.Withheld:
    """Every topic of the inputs that is not granted, and that the site does not have from `once`. `titles` are all topics;
    `publisher` is the publisher's id."""
    gone = [key for key in titles if key not in plan.granted and key not in once]
    site, template = plan.site, plan.site.presentation.topic_link
    plain_names = _COMMON | {publisher, site.id, site.partner} | {language for _, language in titles} | _words(template)
    had = {name for name, _ in (*plan.granted, *once)}
    shown = {_fold(titles[key]) for key in (*plan.granted, *once) if key in titles}
    return audit.Withheld(
        ids=frozenset(name for name, _ in gone) - had - plain_names,
        folders=frozenset(f"{language}/{name}" for name, language in gone),
        titles=frozenset(_fold(titles[key]) for key in gone) - shown - {""},
        template=template,
    )


def from_view(site: audit.Withheld, topic: Topic, images: Collection[str], view: View, assets: Assets) -> audit.Withheld:
    """The same, with the pictures that this view of a topic leaves out. `images` are all of the topic's (by `img/@src`)."""
    shown = {image.get("src", "") for image in view.topic.body.iter("img")} if images else set()
    gone = {src for src in images if src not in shown}
    if not gone and not site.all:
        return site
    alts = {image.get("alt", "") for image in topic.body.iter("img") if image.get("src") in gone} if gone else ()
    links = (plain(a) for a in topic.body.iter("a") if a.get("data-kind") == "topic")
    spelled_out = (abbreviation.get("title", "") for abbreviation in topic.body.iter("abbr"))
    return site.with_pictures(_file_names(gone, assets), alts, (*links, *spelled_out))


def _file_names(sources: Iterable[str], assets: Assets) -> list[str]:
    known = [assets.images[src] for src in sources if src in assets.images]
    return [*sources, *(name for image in known for name in (PurePosixPath(image.path).name, image.sha256))]


def _words(template: str) -> frozenset[str]:
    return frozenset(part for part in template.replace("#", "/").replace("?", "/").replace("=", "/").replace("&", "/").split("/"))


def _fold(text: str) -> str:
    return " ".join(text.split())
