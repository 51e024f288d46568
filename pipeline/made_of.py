"""What a row was made of, so that a later run knows which files were edited since, and whether what is live may stay.

In: the files, images, terms and notices of an edition. Out: short digests by name (files, images, terms, notice), and agreements
(`Row.agreement_of` reads them). Input files are
told apart by marks, never named: rows go to partners.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from pipeline.contracts import Image, Rights
from pipeline.editions import Granted
from pipeline.notices import Texts
from pipeline.settings import Partner
from pipeline.unread import source_mark

DIGITS = 16  # of each digest: enough to tell states of one file apart


# Per process: the terms of what many topics share, by run, site and the identity of what is granted.
_terms: dict[tuple[str, str, int], str] = {}


def digest_of(*parts: object) -> str:
    """The digest of values that have one spelling each."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def of_files(digests: Mapping[str, str]) -> str:
    """Files and their SHA-256 on one line: `mark:digest mark:digest`."""
    return " ".join(sorted(f"{source_mark(name)}:{sha256[:DIGITS]}" for name, sha256 in digests.items()))


def pairs(line: str) -> dict[str, str]:
    """What `of_files` or `of_images` wrote, by mark; the value may hold further colons."""
    return dict(word.split(":", 1) for word in line.split() if ":" in word)


def of_images(images: Iterable[Image], rights: Mapping[str, Rights]) -> str:
    """Images, each with the digest of its bytes and credit line and that of its rights."""
    return " ".join(sorted(f"{source_mark(image.src)}:{of_image(image, rights[image.src])}" for image in images))


def of_image(image: Image, rights: Rights) -> str:
    """One image: what is shown, and under which rights."""
    return f"{digest_of(image.sha256, image.credit)}:{digest_of(rights)}"


def of_terms(granted: Granted, formats: Iterable[str], partner: Partner, site: str) -> str:
    """The terms that these formats of a topic stand under, as far as rules do not decide them anew every day."""
    place = partner.all_sites()[site]
    under = [
        (
            name,
            terms.agreement.model_dump(exclude={"grants", "limits", "notice_days"}),
            terms.clause.model_dump(include={"clause", "images", "audiences"}),
        )
        for name in sorted(set(formats))
        for terms in granted.by_format.get(name, ())
    ]
    return digest_of(
        under,
        (place.channel, place.territories, place.edits, place.indexing),
        partner.ai.model_dump(),
        sorted(partner.code_systems.items()),
    )


def of_agreements(granted: Granted) -> str:
    """The agreement of each format that stands under another than the first, as JSON; "" where all stand under one."""
    by_format = {name: granted.by_format[name][0].agreement.id for name in granted.formats}
    first = by_format[granted.formats[0]]
    others = {name: agreement for name, agreement in by_format.items() if agreement != first}
    return json.dumps(others, sort_keys=True, ensure_ascii=False) if others else ""


def of_all_formats(run_id: str, granted: Granted, partner: Partner, site: str) -> str:
    """As `of_terms` for every format that is granted; worked out once per run for what is granted alike."""
    key = (run_id, site, id(granted))
    if key not in _terms:
        for old in [k for k in _terms if k[0] != run_id]:
            del _terms[old]
        _terms[key] = of_terms(granted, granted.formats, partner, site)
    return _terms[key]


def of_notices(texts: tuple[Texts, Texts]) -> str:
    """The publisher's and the partner's texts in the topic's language."""
    return digest_of(texts)
