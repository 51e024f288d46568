"""Ready-made editions for tests of formats and proofs: one site, real notices in three languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pipeline.contracts import Brand, Edition, License, Presentation, Publisher, Site, Translated, View
from pipeline.labels import labels
from pipeline.notices import Texts, notices
from pipeline.topic import Copyright, Metadata, Topic, digest

PLAIN = Presentation()
PUBLISHER = Publisher("example", "Example Health Press", "https://example.org/")
SITE = Site("riverside", "riverside", "Riverside Health", "p/riverside", Brand("#0b5fa5"))
PUBLISHER_TEXTS = {
    "en": Texts(
        trademark="Example and the Example logo are trademarks of Example Health Press, Inc.",
        disclaimer="This information does not replace the advice of a doctor.",
        use="Your use of this information means that you agree to the terms of use.",
        terms_url="https://example.org/terms",
        privacy_url="https://example.org/privacy",
        learn_more="To learn more about Example Health Press, visit example.org.",
        learn_more_url="https://example.org/",
    ),
    "es": Texts(
        trademark="Example y el logotipo de Example son marcas de Example Health Press, Inc.",
        disclaimer="Esta información no reemplaza el consejo de un médico.",
    ),
    "ar": Texts(trademark="العلامة Example ملك Example Health Press.", disclaimer="هذه المعلومات لا تغني عن استشارة الطبيب."),
}
PARTNER_TEXTS = {
    "en": Texts(disclaimer="Not all treatments or services described are covered benefits."),
    "es": Texts(disclaimer="No todos los tratamientos descritos son beneficios cubiertos."),
    "ar": Texts(disclaimer="ليست كل العلاجات الموصوفة مشمولة بالتغطية."),
}


def edition(
    metadata: Metadata, *, site: Site = SITE, formats: tuple[str, ...] = ("html", "print", "epub", "text", "json")
) -> Edition:
    """The edition of a topic on a site of Riverside Health, missing copyright filled in."""
    filled = (
        metadata
        if metadata.copyright
        else replace(metadata, copyright=Copyright(first_year=1995, last_year=2023, holder="Example Health Press, Inc."))
    )
    base = metadata.language.split("-")[0]
    return Edition(
        metadata=filled,
        site=site,
        publisher=PUBLISHER,
        notices=notices(filled, PUBLISHER_TEXTS[base], PARTNER_TEXTS[base], labels(metadata.language)),
        license=License("RH-2026-014", "Schedule A, 1", date(2027, 12, 31), "https://example.org/terms"),
        formats=formats,
        translations=(Translated("es", filled.id, "En español"),) if base == "en" else (),
        terms_modified=date(2026, 1, 1),
    )


def view(topic: Topic, presentation: Presentation = PLAIN) -> View:
    """The view of a topic of which nothing was taken."""
    return View(topic, digest(topic), presentation)
