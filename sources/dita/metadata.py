"""What prologs and topicmeta say: authors, reviews, dates, rights, codes, collections.

In: a resolved `prolog` (or a map's `topicmeta`). Out: values for `Metadata`, `Facts` of a map's branch, findings for
values that are not what they must be. docs/dita.md tells editors which mark-up means what. Specification: DITA 1.3,
prolog elements and `data`; the names of `data` are ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from lxml import etree

from pipeline.findings import Code, Finding
from pipeline.topic import STATUSES, Copyright, Correction, Person, Review, Translation, safe_id
from pipeline.topic import Code as ClinicalCode
from sources.dita import codes
from sources.dita.names import child, children, is_a, names

SETTINGS: Final = ("before", "after", "home")
_YEARS: Final = re.compile(r"[12]\d{3}(?:(?:\s++|\s*+[-\u2013,;]\s*+)[12]\d{3})*+")  # 2019, but also 2015-2019 and 2015, 2019
_OID: Final = re.compile(r"(?:urn:oid:)?([0-2](?:\.\d+)+)")
_FOLD: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a map says of all topics in one of its branches."""

    collections: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()  # that the topic is for; () = not said
    source_rights: tuple[str, ...] = ()
    authors: tuple[Person, ...] = ()
    copyright: Copyright | None = None
    owner: str = ""
    setting: str = ""
    version: str = ""
    language: str = ""
    go_live: date | None = None
    expires: date | None = None
    review_due: date | None = None
    view: str = ""  # who may see it, by `permissions`

    def within(self, outer: Facts) -> Facts:
        """These facts inside a branch of others: lists are joined, for the rest the inner one counts."""
        if self is NO_FACTS or outer is NO_FACTS:  # most of them, and much quicker than to compare what they say
            return outer if self is NO_FACTS else self
        if self == NO_FACTS or outer == NO_FACTS:
            return outer if self == NO_FACTS else self
        values: dict[str, Any] = {}
        for field in fields(Facts):
            mine, theirs = getattr(self, field.name), getattr(outer, field.name)
            joined = field.name in ("collections", "audiences", "territories", "source_rights")
            values[field.name] = unique((*theirs, *mine)) if joined else mine or theirs
        values["formats"] = shared_formats(outer.formats, self.formats)
        for name, strictest in (("go_live", max), ("expires", min), ("review_due", min)):
            days = [day for one in (outer, self) if (day := getattr(one, name)) is not None]
            values[name] = strictest(days, default=None)
        return Facts(**values)


NO_FACTS: Final = Facts()
NO_FORMAT: Final = "none"  # what a topic is for that is meant for print alone, in a branch for all but print


def shared_formats(outer: tuple[str, ...], inner: tuple[str, ...]) -> tuple[str, ...]:
    """The formats that a topic is for by two statements, the one inside the other; () = no statement."""
    both = tuple(name for name in outer if name in inner)
    return (both or (NO_FORMAT,)) if outer and inner else outer or inner


class Prolog:
    """One prolog (or topicmeta), read value by value. `place` tells file and line of an element; `say` its words."""

    def __init__(
        self,
        element: etree._Element | None,
        place: Callable[[etree._Element], tuple[str, int]],
        say: Callable[[etree._Element], str],
    ) -> None:
        self._place, self._say = place, say
        self.findings: list[Finding] = []
        self._named: dict[str, list[etree._Element]] = {}
        self._data: dict[str, list[etree._Element]] = {}
        for one in element.iterdescendants("*") if element is not None else ():
            for name in names(one):
                self._named.setdefault(name, []).append(one)
            if is_a(one, "data") and not is_a(_parent(one), "data"):
                self._data.setdefault(one.get("name") or names(one)[0], []).append(one)

    # --- single values

    def value(self, name: str) -> str:
        """The last `data` of this name."""
        return next((value for value in reversed(self.values(name))), "")

    def values(self, name: str) -> tuple[str, ...]:
        """Every `data` of this name that says something."""
        return tuple(value for one in self._data.get(name, ()) if (value := self._said(one)))

    def day(self, name: str) -> date | None:
        """The last `data` of this name that is a day."""
        days = [self._day(one, self._said(one)) for one in self._data.get(name, ())]
        return next((day for day in reversed(days) if day), None)

    def status(self) -> str:
        """active, in-review or withdrawn."""
        for one in self._data.get("status", ()):
            stated = self._said(one).lower().replace(" ", "-").replace("_", "-")
            if stated in STATUSES:
                return stated
            self._wrong(one, f"status {self._said(one)!r}; expected {', '.join(STATUSES)}", codes.LIMIT)
        return "active"

    def view(self) -> str:
        """Who may see it: the last `permissions/@view` (all, entitled, classified, internal)."""
        return next((stated for one in reversed(self._of("permissions")) if (stated := one.get("view") or "")), "")

    def setting(self) -> str:
        """before, after or home."""
        for one in self._data.get("setting", ()):
            stated = self._said(one).lower()
            if stated in SETTINGS:
                return stated
            self._wrong(one, f"setting {self._said(one)!r}; expected {', '.join(SETTINGS)}")
        return ""

    def version(self) -> str:
        """The last `vrm`'s version, else `data name="version"`."""
        stated = [one.get("version") or "" for one in self._of("vrm")]
        return next((version.strip() for version in reversed(stated) if version.strip()), "") or self.value("version")

    def search_titles(self) -> list[etree._Element]:
        """What the topic is called where it is searched for: `searchtitle`, `titlealt` with that role."""
        stated = [one for one in self._of("titlealt") if "search" in (one.get("title-role") or "").split()]
        return [*self._of("searchtitle"), *stated]

    def reading_level(self) -> str:
        """`othermeta name="readingLevel"`, else `data name="reading-level"`."""
        stated = [one.get("content") or "" for one in self._of("othermeta") if one.get("name") == "readingLevel"]
        return next((level for level in stated if level), "") or self.value("reading-level")

    def public_id(self) -> str:
        """`data name="topic-id"`, else `resourceid` (not meant for the world: help systems give one to several topics)."""
        stated = [one.get("appid") or one.get("id") or "" for one in self._of("resourceid")]
        return self.value("topic-id") or next((name for name in stated if name), "")

    # --- dates

    def created(self) -> date | None:
        """`critdates/created/@date`."""
        return next(iter(self._days("created", "date")), None)

    def modified(self) -> date | None:
        """The latest `critdates/revised/@modified`."""
        return max(self._days("revised", "modified"), default=None)

    def go_live(self) -> date | None:
        """The last `@golive` of `created` and `revised`."""
        return next(reversed([*self._days("created", "golive"), *self._days("revised", "golive")]), None)

    def expires(self) -> date | None:
        """The last `@expiry` of `created` and `revised`."""
        return next(reversed([*self._days("created", "expiry"), *self._days("revised", "expiry")]), None)

    def _days(self, element: str, attribute: str) -> list[date]:
        code = codes.LIMIT if attribute in ("golive", "expiry") else codes.VALUE
        found = [self._day(one, one.get(attribute) or "", code) for one in self._of(element)]
        return [day for day in found if day]

    # --- people and rights

    def authors(self) -> tuple[Person, ...]:
        """Every `author`; its `type` is the role. Every `data name="author"`, as Lightweight DITA has it."""
        people = []
        for one in self._of("author"):
            inner = {name: text for name in ("credentials", "specialty", "display") if (text := self._inner(one, name))}
            name = self._listed_name(one) or self._say(one)
            if name:
                people.append(Person(name=name, role=(one.get("type") or "").strip(), **inner))
        return unique((*people, *(Person(name=name) for name in self.values("author"))))

    def _listed_name(self, author: etree._Element) -> str:
        """A name that is written in parts (`authorinformation` of books): a person's, else the organization's."""
        parts = [one for name in ("personname", "organizationname") for one in author.iter("*") if is_a(one, name)]
        return next((text for one in parts if (text := " ".join(" ".join(one.itertext()).split()))), "")

    def reviews(self) -> tuple[Review, ...]:
        """Every `data name="medical-reviewer"`."""
        found = []
        for one in self._data.get("medical-reviewer", ()):
            display = self._inner(one, "display")
            name = self._inner(one, "name") or self._said(one) or display
            if not name:
                self._wrong(one, "a medical reviewer without name; expected data name='name' or 'display' in it")
                continue
            person = Person(
                name=name,
                credentials=self._inner(one, "credentials"),
                specialty=self._inner(one, "specialty"),
                role=self._inner(one, "role"),
                display=display,
            )
            found.append(
                Review(
                    person=person,
                    on=self._inner_day(one, "on"),
                    version=self._inner(one, "version") or (one.get("version") or ""),
                )
            )
        return unique(found)

    def copyright(self) -> Copyright | None:
        """Years (first to last) and holder of `copyright`, or of a book's `bookrights`; what is not said is 0 or ""."""
        years = [year for one in self._of("copyryear", "copyrfirst", "copyrlast") for year in self._years(one)]
        holders = [text for one in self._of("copyrholder", "bookowner") if (text := self._say(one))]
        if not years and not holders:
            return None
        return Copyright(first_year=min(years, default=0), last_year=max(years, default=0), holder=holders[0] if holders else "")

    def _years(self, element: etree._Element) -> list[int]:
        stated = [(element, element.get("year"))] if element.get("year") is not None else []
        stated += [(one, self._say(one)) for one in children(element, "year")]
        years: list[int] = []
        for one, raw in stated:
            if raw and _YEARS.fullmatch(raw.strip()):
                years += map(int, re.findall(r"\d{4}", raw))
            else:
                self._wrong(one, f"year {raw!r}; expected years of four digits")
        return years

    # --- lists

    def listed(self, name: str) -> tuple[str, ...]:
        """The values of `data` of this name, those with commas taken apart."""
        return unique(part.strip() for value in self.values(name) for part in value.split(",") if part.strip())

    def collections(self) -> tuple[str, ...]:
        """`data name="collection"` and `category`."""
        return unique((*self.listed("collection"), *(text for one in self._of("category") if (text := self._say(one)))))

    def audiences(self) -> tuple[str, ...]:
        """The types of `audience` (of `type="other"`: its othertype), and `data name="audience"`."""
        stated = (one.get("othertype") if one.get("type") == "other" else one.get("type") for one in self._of("audience"))
        return unique((*(kind.strip() for kind in stated if kind and kind.strip()), *self.listed("audience")))

    def keywords(self) -> tuple[str, ...]:
        """The words of `keywords/keyword`."""
        return unique(text for one in self._of("keywords") for word in children(one, "keyword") if (text := self._say(word)))

    def clinical_codes(self) -> tuple[ClinicalCode, ...]:
        """Every `data name="code"`: system, value, oid, display as nested data or in the element itself."""
        found = []
        for one in self._data.get("code", ()):
            value = self._inner(one, "value") or self._inner(one, "code") or self._said(one)
            system = self._inner(one, "system") or (one.get("system") or one.get("datatype") or "").strip()
            oid = self._inner(one, "oid") or (one.get("oid") or "").strip()
            match = _OID.fullmatch(system)
            if match:
                system, oid = system if system != match[1] else "", oid or match[1]
            if value and (system or oid):
                display = self._inner(one, "display") or (one.get("display") or "").strip()
                found.append(ClinicalCode(code=value, system=system, oid=oid.removeprefix("urn:oid:"), display=display))
            else:
                self._wrong(one, f"a code with system {system or oid!r} and value {value!r}; expected both")
        return unique(found)

    def corrections(self) -> tuple[Correction, ...]:
        """Every `data name="correction"` with its day and what readers are told."""
        found = []
        for one in self._data.get("correction", ()):
            day, note = self._inner_day(one, "on"), self._inner(one, "note") or self._said(one)
            if day and note:
                found.append(Correction(on=day, note=note))
            else:
                self._wrong(
                    one, f"a correction on {self._inner(one, 'on')!r} saying {note!r}; expected data name='on' and 'note' in it"
                )
        return tuple(found)

    def companions(self) -> tuple[str, ...]:
        """Every `data name="companion"`: the id of a topic that this one must not be shown without."""
        return unique(safe_id(name) for name in self.listed("companion"))

    def translation(self) -> Translation | None:
        """`data name="translation-of"` with version, method, translator, reviewed-on in it."""
        for one in self._data.get("translation-of", ()):
            if self._said(one):
                return Translation(
                    of=self._said(one),
                    version=self._inner(one, "version"),
                    method=self._inner(one, "method"),
                    translator=self._inner(one, "translator"),
                    reviewed_on=self._inner_day(one, "reviewed-on"),
                )
        return None

    def facts(self) -> Facts:
        """What a topicmeta says of the topics in its branch."""
        return Facts(
            collections=self.collections(),
            audiences=self.audiences(),
            territories=self.listed("territory"),
            source_rights=self.values("source-rights"),
            authors=self.authors(),
            copyright=self.copyright(),
            owner=self.value("owner"),
            setting=self.setting(),
            version=self.version(),
            go_live=self.go_live(),
            expires=self.expires(),
            review_due=self.day("review-due"),
            view=self.view(),
        )

    # --- elements

    def _of(self, *wanted: str) -> list[etree._Element]:
        return [one for name in wanted for one in self._named.get(name, ())]

    def _said(self, element: etree._Element) -> str:
        """A data's own words: its value, else its text without that of data inside it."""
        stated = element.get("value")
        if stated is not None:
            return _FOLD.sub(" ", stated).strip()
        title = child(element, "title")
        text = [element.text or "", *(one.tail or "" for one in element)]
        text += [self._say(one) for one in element if isinstance(one.tag, str) and not is_a(one, "data") and one is not title]
        return _FOLD.sub(" ", " ".join(text)).strip()

    def _inner(self, element: etree._Element, name: str) -> str:
        found = [one for one in children(element, "data") if (one.get("name") or names(one)[0]) == name]
        return next((text for one in found if (text := self._said(one))), "")

    def _inner_day(self, element: etree._Element, name: str) -> date | None:
        return self._day(element, self._inner(element, name) or (element.get(name) or ""))

    def _day(self, element: etree._Element, raw: str, code: Code = codes.VALUE) -> date | None:
        raw = raw.strip()
        if not raw:
            return None
        try:
            return date.fromisoformat(raw.partition("T")[0])
        except ValueError:
            self._wrong(element, f"{raw!r} is no day; expected YYYY-MM-DD", code)
            return None

    def _wrong(self, element: etree._Element, text: str, code: Code = codes.VALUE) -> None:
        file, line = self._place(element)
        self.findings.append(code.at(file, line, f"<{names(element)[0]}>: {text}"))


def unique(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values, each once, in order."""
    return tuple(dict.fromkeys(values))


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    return parent if parent is not None else element
