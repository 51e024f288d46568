"""The rights of an image cover the use."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Rights, Use
from pipeline.settings.fields import days_after
from pipeline.terms import Terms, covers, listed, outside
from pipeline.topic import Metadata

BY_FORMAT = True


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds an image that is neither ours nor to be passed on, or is not for this format, territory or day. A use that asks
    for no image gets what the clause says of images: they are decided one by one."""
    image, images = use.image, terms.clause.images
    if image is None:
        return terms.grant("asset", f"images granted: {images}; each is decided by its own rights")
    if problem := _not_passed_on(image, images) or _outside(image, use, terms):
        return terms.withhold("asset", f"{image.file}: {problem}")
    if image.ends is None:
        return terms.grant("asset", f"{image.file}: its rights cover this use")
    if as_of > image.ends:
        return terms.withhold("asset", f"{image.file}: its rights ended on {image.ends}")
    return terms.grant("asset", f"{image.file}: its rights run to {image.ends}", until=days_after(image.ends, 1))


def _not_passed_on(image: Rights, images: str) -> str:
    if images == "none":
        return "the clause grants no images"
    if image.ours or (images == "sublicensable" and image.sublicense):
        return ""
    if not image.listed:
        return "assets.toml does not list it, and assets_without_entry is 'refuse'"
    return "its holder lets us pass it on, but the clause grants our own alone" if image.sublicense else "not to be passed on"


def _outside(image: Rights, use: Use, terms: Terms) -> str:
    if not covers(image.formats, use.format):
        return f"may be shown in {listed(image.formats)}, not in {use.format}"
    if beyond := outside(image.territories, terms.site(use).territories):
        return f"may be shown in {listed(image.territories)}; the site is shown in {beyond}"
    return ""
