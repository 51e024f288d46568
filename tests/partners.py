"""Ready-made partners, grants and topics for tests of terms."""

from __future__ import annotations

from datetime import date
from typing import Any

from pipeline.settings import Agreement, Grant, Partner
from pipeline.topic import Metadata

OPEN_GRANT: dict[str, Any] = {
    "clause": "Schedule A, 1",
    "collections": "all",
    "languages": "all",
    "audiences": "all",
    "formats": "all",
    "images": "own",
}


def grant(**changes: Any) -> Grant:
    """A grant of everything but what `changes` narrows."""
    return Grant.model_validate({**OPEN_GRANT, **changes})


def agreement(*grants: Grant, **changes: Any) -> Agreement:
    """Agreement A-1, 2026-01-01 to 2027-12-31."""
    values = {"id": "A-1", "starts": date(2026, 1, 1), "ends": date(2027, 12, 31), "grants": list(grants) or [grant()]}
    return Agreement.model_validate({**values, **changes})


def partner(*agreements: Agreement, **changes: Any) -> Partner:
    """Partner acme with one agreement that grants everything, unless others are given."""
    values = {"id": "acme", "name": "Acme Health", "agreements": list(agreements) or [agreement()]}
    return Partner.model_validate({**values, **changes})


def topic(**changes: Any) -> Metadata:
    """An English topic of which nothing else is said."""
    return Metadata(**{"id": "asthma", "language": "en", "title": "Asthma", **changes})
