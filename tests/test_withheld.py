"""What a site does not have, from its plan; and a whole run in which a template of a partner names it."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

from demo import copy_of_examples
from editions import PUBLISHER, SITE, view
from proven import ASSETS, topic
from test_run import run

from pipeline import withheld
from pipeline.contracts import Assets
from pipeline.editions import SitePlan, take_out
from pipeline.topic import Topic

ROOT = Path(__file__).parents[1]


def plan(*granted: tuple[str, str]) -> SitePlan:
    """A plan that grants these topics."""
    values: Any = dict.fromkeys(granted)
    return SitePlan(SITE, None, date(2026, 6, 1), values, {})  # type: ignore[arg-type]


def test_what_a_site_does_not_have() -> None:
    titles = {("asthma", "en"): "Asthma", ("asthma", "es"): "Asma", ("croup", "en"): "Croup", ("media", "en"): "Media"}
    found = withheld.from_site(plan(("asthma", "en")), titles, PUBLISHER.id)
    assert found.ids == {"croup"}  # it has asthma in another language, and "media" stands in every path
    assert found.folders == {"es/asthma", "en/croup", "en/media"}
    assert found.titles == {"Asma", "Croup", "Media"}
    assert withheld.from_site(plan(("asthma", "en")), titles, PUBLISHER.id, {("croup", "en")}).ids == set()
    same = withheld.from_site(plan(("asthma", "en")), {**titles, ("wheeze", "en"): " Asthma "}, PUBLISHER.id)
    assert "Asthma" not in same.titles  # a title that the site has


def test_another_plan_is_another_answer() -> None:
    titles = {("asthma", "en"): "Asthma", ("croup", "en"): "Croup"}
    first, second = plan(("asthma", "en")), plan(("croup", "en"))
    assert withheld.remembered(first, titles, PUBLISHER.id).ids == {"croup"}
    assert withheld.remembered(first, titles, PUBLISHER.id) is withheld.remembered(first, titles, PUBLISHER.id)
    assert withheld.remembered(second, titles, PUBLISHER.id).ids == {"asthma"}


def test_the_pictures_that_a_view_leaves_out() -> None:
    whole = topic()
    cut = Topic(whole.metadata, copy.deepcopy(whole.body))
    take_out(next(img for img in cut.body.iter("img") if img.get("src") == "cuff.png"))
    base = withheld.from_site(plan(), {}, PUBLISHER.id)
    found = withheld.from_view(base, whole, {"cuff.png", "chart.png"}, view(cut), ASSETS)
    assert found.files == {"cuff.png", "0a1b2c3d-cuff.png", "a" * 64}
    assert found.alts == {"A cuff around an upper arm"}
    assert "Stroke" in found.authored
    assert withheld.from_view(base, whole, {"cuff.png"}, view(cut), Assets()).files == {"cuff.png"}


def test_a_template_that_names_what_the_site_does_not_have_holds_its_topics_back(tmp_path: Path) -> None:
    config = copy_of_examples(tmp_path / "project")
    report = run(config.parent, "--dry-run", "--partner", "harbor", day="2026-12-01")
    gone = sorted(key.split()[0] for key in report["sites"][0]["withheld"])[0]
    folder = config.parent / "partners" / "harbor-pages"
    folder.mkdir()
    page = (ROOT / "transforms/pages/print.html").read_text(encoding="utf-8")
    (folder / "print.html").write_text(page.replace("</main>", f"<p><a href=../{gone}/print.html>New</a></p></main>"))
    partner = config.parent / "partners" / "harbor.toml"
    partner.write_text(
        partner.read_text(encoding="utf-8").replace('name = "', f'templates = "partners/{folder.name}"\nname = "', 1)
    )
    report = run(config.parent, "--dry-run", "--partner", "harbor", code=1, day="2026-12-01")
    leaks = [finding for finding in report["findings"] if finding["code"] == "audit.leak"]
    assert leaks
    assert all(repr(gone) in finding["text"] and finding["partner"] == "harbor" for finding in leaks)
