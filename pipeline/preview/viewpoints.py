"""As whom one looks: a partner's site on a day, under the terms as they stand or as somebody tries them; or as nobody, who sees
everything.

In: a snapshot and a `Viewpoint` (from an address, so untrusted). Out: `Desk`: the plan of that site and what rendering needs,
made by the same code as a run. Nothing of it touches a file: a tried partner file is a value.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from pipeline import labels
from pipeline.catalog import Catalog
from pipeline.contracts import Decision, EditorialDecision, Site
from pipeline.editions import Granted, Key, SitePlan, languages_of
from pipeline.errors import UsageError
from pipeline.plugins import System
from pipeline.preview.planning import Known, planned, same_terms
from pipeline.preview.project import Snapshot, conditions_of
from pipeline.report import Report
from pipeline.run import Options, prepare
from pipeline.settings import Agreement, Grant, Partner
from pipeline.sites import Today, prefix_of, withhold_languages
from pipeline.standing import Standing
from pipeline.terms import Terms
from pipeline.work import Context

KEPT: Final = 6  # desks in memory
LONGEST_TRIAL: Final = 200_000
NOBODY: Final = "everything"
_SITE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_TRIAL: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Viewpoint:
    """`site` "" = everything; `as_of` an ISO day, "" = today; `trial` names a tried partner file, "" = none."""

    site: str = ""
    as_of: str = ""
    trial: str = ""

    @property
    def token(self) -> str:
        """The same as one part of a path."""
        return f"{self.site}~{self.as_of}~{self.trial}"


def viewpoint(site: str, as_of: str, trial: str) -> Viewpoint:
    """From words of an address. Raises UsageError."""
    if site and not _SITE.fullmatch(site):
        raise UsageError("no site has such a name", expected="a site's id")
    if trial and not _TRIAL.fullmatch(trial):
        raise UsageError("no tried terms have such a name")
    if as_of:
        try:
            date.fromisoformat(as_of)
        except ValueError:
            raise UsageError(f"{as_of[:40]!r} is no day", expected="YYYY-MM-DD") from None
    return Viewpoint(site, as_of, trial)


def from_token(token: str) -> Viewpoint:
    """From one part of a path. Raises UsageError."""
    parts = token.split("~")
    if len(parts) != 3:
        raise UsageError("no such place")
    return viewpoint(*parts)


@dataclass(frozen=True)
class Desk:
    """One viewpoint over one snapshot. `conditions`: the file of the set under which this partner reads the inputs; `terms`: the
    plan before languages without notices are taken out of it; `hurried`: most topics stand in it as under the terms before."""

    snapshot: Snapshot
    context: Context
    plan: SitePlan
    conditions: str
    terms: SitePlan
    hurried: bool = False

    @property
    def prefix(self) -> str:
        """The site's place in the store."""
        return self.plan.site.prefix


@dataclass(frozen=True)
class Days:
    """Today by time zone, read once: goes along into other processes."""

    by_zone: Mapping[str, date]

    def __call__(self, zone: ZoneInfo) -> date:
        return self.by_zone[zone.key]


def days(system: System, today: Today, as_of: str = "") -> Days:
    """Today in the time zone of every partner and of the publisher; or the day that is tried."""
    configuration = system.configuration
    zones = {configuration.timezone(partner).key for partner in configuration.partners} | {configuration.publisher.timezone}
    day = date.fromisoformat(as_of) if as_of else None
    return Days({zone: day or today(ZoneInfo(zone)) for zone in zones})


# --- tried terms --------------------------------------------------------------------------------


class Trials:
    """Partner files that somebody tries, in memory alone."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, tuple[str, Partner]] = OrderedDict()

    def add(self, partner_id: str, text: str) -> str:
        """The name under which the text is tried. Raises UsageError with every problem in it."""
        partner = parse_partner(partner_id, text)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._texts[name] = (text, partner)
        while len(self._texts) > 20:
            self._texts.popitem(last=False)
        return name

    def text(self, name: str) -> str:
        """What is tried; "" where nobody tries that any more."""
        return self._texts[name][0] if name in self._texts else ""

    def partner(self, name: str) -> Partner | None:
        """The partner that is tried."""
        return self._texts[name][1] if name in self._texts else None


def parse_partner(partner_id: str, text: str) -> Partner:
    """A partner file from its text. Raises UsageError with every problem in it."""
    what = f"partners/{partner_id}.toml, as tried,"
    if len(text) > LONGEST_TRIAL:
        raise UsageError(f"{what} is too long", expected=f"at most {LONGEST_TRIAL} characters", found=str(len(text)))
    try:
        partner = Partner.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as problem:
        raise UsageError(f"{what} is not TOML", found=str(problem)) from None
    except ValidationError as problem:
        lines = [f"{'.'.join(map(str, d['loc'])) or '(file)'}: {d['msg']}" for d in problem.errors(include_url=False)]
        raise UsageError(f"{what} can not be used:\n" + "\n".join(lines)) from None
    if partner.id != partner_id:
        raise UsageError(f"{what} has another id", expected=repr(partner_id), found=repr(partner.id))
    return partner


# --- desks --------------------------------------------------------------------------------------


@dataclass
class Desks:
    """The desks last used. Under the same terms a newer snapshot costs no more than the topics that differ in it. Under new terms
    the topics that are looked at come first: the desk is hurried, and `finish` makes the whole one."""

    today: Today
    trials: Trials = field(default_factory=Trials)
    decisions: Callable[[System], Standing] = lambda _: Standing()
    _kept: OrderedDict[Viewpoint, Desk] = field(default_factory=OrderedDict)

    def desk(self, snapshot: Snapshot, chosen: Viewpoint, first: Collection[Key] = ()) -> Desk:
        """The desk. Raises UsageError for a site, a trial or conditions that do not exist."""
        held = self._kept.get(chosen)
        decided = self.decisions(snapshot.system).mark if chosen.site else ""
        if held is None or held.snapshot is not snapshot or held.context.standing.mark != decided:
            held = self._keep(chosen, self._made(snapshot, chosen, held, first))
        self._kept.move_to_end(chosen)
        return held

    def has(self, chosen: Viewpoint) -> bool:
        """Whether a desk of that viewpoint is kept."""
        return chosen in self._kept

    def whole(self, snapshot: Snapshot, chosen: Viewpoint) -> Desk:
        """A desk that is not hurried, and not kept yet: made from the start, which may take a second. Raises as `desk`."""
        return self._made(snapshot, chosen, None, ())

    def finish(self, chosen: Viewpoint, whole: Desk) -> bool:
        """Keeps a whole desk where there is none, or a hurried one of that snapshot."""
        held = self._kept.get(chosen)
        if held is None or (held.hurried and held.snapshot is whole.snapshot):
            self._keep(chosen, whole)
            return True
        return False

    def _keep(self, chosen: Viewpoint, desk: Desk) -> Desk:
        self._kept[chosen] = desk
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return desk

    def _made(self, snapshot: Snapshot, chosen: Viewpoint, before: Desk | None, first: Collection[Key]) -> Desk:
        system = _everything_granted(snapshot.system) if not chosen.site else self._tried(snapshot.system, chosen)
        partner = find_partner(system, chosen.site) if chosen.site else system.configuration.partners[0]
        conditions = system.configuration.conditions(partner)
        if conditions not in conditions_of(snapshot.system):
            raise UsageError(
                f"the tried terms name other conditions, {conditions!r}",
                expected=", ".join(conditions_of(snapshot.system)),
                fix="save the partner's file to see it under those",
            )
        today = days(system, self.today, chosen.as_of)
        options = Options(today, f"preview-{snapshot.number}", "", (partner.id,), (), 1, True, True)
        catalog = snapshot.catalog
        empty = replace(catalog, indexes={})  # planned below, as far as it has to be
        context = prepare(system, options, empty, Report("preview", "")).context
        bare = context.plans[prefix_of(chosen.site or NOBODY)]
        hurried = False
        if chosen.site:
            context = replace(context, standing=self.decisions(snapshot.system))
            if before and before.context.standing.mark != context.standing.mark:
                first = {*first, *_decided(catalog, (*before.context.standing.decisions, *context.standing.decisions))}
            old = Known(before.snapshot.catalog, before.conditions, before.terms) if before else None
            hurried = before is not None and (before.hurried or not same_terms(before.terms, bare))
            terms = planned(catalog, bare, context, conditions, old, first)
            plan, _ = withhold_languages(terms, system.configuration)
        else:
            plan = terms = _granting_everything(bare, catalog, list(system.transforms))
        context = replace(context, indexes=catalog.indexes, titles=catalog.titles, plans={plan.site.prefix: plan})
        return Desk(snapshot, context, plan, conditions, terms, hurried)

    def _tried(self, system: System, chosen: Viewpoint) -> System:
        if not chosen.trial:
            return system
        tried = self.trials.partner(chosen.trial)
        if tried is None:
            raise UsageError("these tried terms are not kept any more", fix="try them again")
        partners = tuple(tried if partner.id == tried.id else partner for partner in system.configuration.partners)
        return replace(system, configuration=replace(system.configuration, partners=partners)).check()


def _decided(catalog: Catalog, decisions: Iterable[EditorialDecision]) -> set[Key]:
    """The topics that decisions name."""
    named = {topic for decision in decisions for topic in decision.topics}
    return {key for key in catalog.metadata if key[0] in named}


def find_partner(system: System, site: str) -> Partner:
    """The partner that a site belongs to. Raises UsageError."""
    for partner in system.configuration.partners:
        if site in partner.all_sites():
            return partner
    known = [name for partner in system.configuration.partners for name in partner.all_sites()]
    raise UsageError(f"there is no site {site!r}", expected=", ".join(known))


# --- everything ---------------------------------------------------------------------------------


def _everything_granted(system: System) -> System:
    """The system with one partner, who gets all of everything: what the publisher has, before any terms."""
    configuration = system.configuration
    grant = Grant(clause="everything", collections="all", languages="all", audiences="all", formats="all", images="sublicensable")
    agreement = Agreement(id="preview", starts=date(1900, 1, 1), ends=date(9998, 12, 31), grants=[grant])
    nobody = Partner(id=NOBODY, name=configuration.publisher.name, agreements=[agreement])
    publisher = configuration.publisher
    if publisher.assets_without_entry == "refuse":
        publisher = publisher.model_copy(update={"assets_without_entry": "ours"})
    assets = {name: asset.model_copy(update={"sublicense": True}) for name, asset in configuration.assets.items()}
    return replace(system, configuration=replace(configuration, partners=(nobody,), publisher=publisher, assets=assets))


def _granting_everything(plan: SitePlan, catalog: Catalog, formats: list[str]) -> SitePlan:
    agreement = plan.partner.agreements[0]
    terms = Terms(plan.partner, agreement, agreement.grants[0])
    whole = Granted(tuple(formats), dict.fromkeys(formats, (terms,)))
    granted = dict.fromkeys((key for key in catalog.metadata if labels.known(key[1])), whole)
    withheld = {
        key: (Decision("notices", "withhold", f"there are labels for {', '.join(labels.languages())} alone"),)
        for key in catalog.metadata
        if key not in granted
    }
    site: Site = replace(plan.site, name=plan.partner.name)
    return replace(plan, site=site, granted=granted, withheld=withheld, languages=languages_of(granted))
