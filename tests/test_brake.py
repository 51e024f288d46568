"""The brake: what stops a site, and what never does."""

from __future__ import annotations

import pytest

from pipeline import brake
from pipeline.contracts import Decision, Row
from pipeline.errors import StoppedError
from pipeline.settings import Brake

LIVE = [Row(id=f"t{n}", language="en", title=f"Topic {n}", text_sha256="old") for n in range(100)]
SET = Brake(removals="5%", changes="50%", at_least=5)


def _check(new: list[Row], withheld: dict[tuple[str, str], tuple[Decision, ...]] | None = None, **allowed: int) -> None:
    brake.check("acme", LIVE, new, withheld or {}, SET, **allowed)


def test_a_few_removals_pass() -> None:
    _check(LIVE[5:])


def test_more_stop_the_site_and_are_named() -> None:
    with pytest.raises(StoppedError) as caught:
        _check(LIVE[6:])
    assert "6 of 100 topics would be removed" in str(caught.value)
    assert "t5 en 'Topic 5'" in str(caught.value)
    assert "--allow-removals 6" in str(caught.value)
    assert caught.value.exit_code == 3


def test_allowed_removals_pass() -> None:
    _check(LIVE[6:], allow_removals=6)
    with pytest.raises(StoppedError):
        _check(LIVE[7:], allow_removals=6)


@pytest.mark.parametrize(("rule", "stops"), [("expiry", False), ("dates", False), ("status", False), ("collection", True)])
def test_dates_and_decisions_never_count(rule: str, stops: bool) -> None:
    withheld: dict[tuple[str, str], tuple[Decision, ...]] = {
        ("t" + str(n), "en"): (Decision(rule, "withhold", "because"),) for n in range(50)
    }
    if stops:
        with pytest.raises(StoppedError):
            _check(LIVE[50:], withheld)
    else:
        _check(LIVE[50:], withheld)


def test_changed_words() -> None:
    changed = [Row(id=row.id, language="en", title=row.title, text_sha256="new") for row in LIVE]
    _check([*changed[:50], *LIVE[50:]])
    with pytest.raises(StoppedError, match="51 of 100 topics would be changed"):
        _check([*changed[:51], *LIVE[51:]])


def test_a_first_release_has_nothing_to_lose() -> None:
    brake.check("acme", [], LIVE, {}, SET)


def test_a_small_site_may_lose_a_few() -> None:
    brake.check("acme", LIVE[:4], LIVE[:1], {}, SET)


def test_no_site_is_emptied_undecided_however_small() -> None:
    with pytest.raises(StoppedError, match="and never all"):
        brake.check("acme", LIVE[:1], [], {}, SET)
    brake.check("acme", LIVE[:1], [], {}, SET, allow_removals=1)
