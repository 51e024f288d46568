"""One rendering for formats that want the same.

In: a view, its images, options. Out: `Rendered`, made once: web page and JSON always agree unless a topic says otherwise, and
where it leads to no other topic, the book agrees as well. They ask one after another, so the last view is all that is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lxml import etree

from pipeline.contracts import Assets, View
from transforms._html import Options, Rendered, render

_HAS_ONLY: Final = etree.XPath("boolean(descendant::*[@data-only])")
_HAS_TOPIC_LINK: Final = etree.XPath("boolean(descendant::a[@data-kind='topic'])")

_kept: tuple[View, Assets, dict[Options, Rendered]] | None = None


def shared(view: View, assets: Assets, options: Options) -> Rendered:
    """As `render`. The tree is to be left as it is."""
    global _kept
    kept = _kept  # read once: another thread may be at another view
    if kept is None or kept[0] is not view or kept[1] is not assets:
        kept = _kept = view, assets, {}
    wanted = _that_matter(options, view.topic.body)
    if wanted not in kept[2]:
        kept[2][wanted] = render(view, assets, wanted)
    return kept[2][wanted]


def _that_matter(options: Options, body: etree._Element) -> Options:
    """The options without those that make no difference to this body."""
    name = options.format if _HAS_ONLY(body) else ""
    return replace(options, format=name, topic_link=options.topic_link if _HAS_TOPIC_LINK(body) else None)
