"""How much of an agreement's limit its partner's sites use, and the stop where it is more than that.

In: the plans of a run. Out: topics by agreement; StoppedError with a list. No single topic is one too many, so none is withheld:
somebody chooses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from pipeline.contracts import Row
from pipeline.editions import Key, SitePlan
from pipeline.errors import StoppedError

LISTED = 100  # topics that an error names; more, and nobody reads the end


def used(plans: Iterable[SitePlan], partner: str, aside: Iterable[Row] = ()) -> dict[str, set[str]]:
    """The topics (ids) that each agreement of a partner is used for, over all its sites and languages. `aside`: what is live of
    its sites on hold, which have no plan."""
    found: dict[str, set[str]] = defaultdict(set)
    for plan in plans:
        if plan.partner.id == partner:
            for key, granted in plan.granted.items():
                for terms in granted.by_format.values():
                    found[terms[0].agreement.id].add(key[0])
    for row in aside:
        for agreement in {row.agreement_of(file.format) for file in row.files if file.format}:
            found[agreement].add(row.id)
    return dict(found)


def check(plan: SitePlan, topics: Mapping[str, Collection[str]], live: Collection[Key]) -> None:
    """Raises StoppedError where an agreement is used for more topics than it covers. `topics` as `used` gives them; what is not
    `live` yet is listed first: it is what made them too many."""
    for agreement in plan.partner.agreements:
        found = topics.get(agreement.id, ())
        if agreement.limits is None or len(found) <= agreement.limits.topics:
            continue
        had = {key[0] for key in live}
        names = sorted(found, key=lambda name: (name in had, name))
        lines = [f"    {name}{'' if name in had else ' (new)'}" for name in names[:LISTED]]
        lines += [f"    ... and {len(names) - LISTED} more"] if len(names) > LISTED else []
        raise StoppedError(
            f"site {plan.site.id}: agreement {agreement.id} would be used for too many topics; nothing was published\n"
            + "\n".join(lines),
            expected=f"at most {agreement.limits.topics} topics",
            found=f"{len(found)} topics",
            fix="narrow the grant (collections, exclude_topics), or agree on more and raise limits.topics",
        )
