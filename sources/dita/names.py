"""What an element is: `@class` where the file (or its DTD, expanded) has one, else a built-in table of DITA 1.3.

In: an element. Out: `names(element)`, its names from the most special to its base ("step", "li"). Specification: DITA
1.3, class attribute rules and syntax. The table is our own: `parent: children`, a child's parent standing before it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from lxml import etree

_TABLE: Final = """
topic: no-topic-nesting concept task reference glossgroup troubleshooting
concept: glossentry
body: conbody taskbody refbody troublebody
conbody: glossBody
bodydiv: conbodydiv refbodydiv troubleSolution
title: glossterm glossAcronym glossAbbreviation glossShortForm glossSynonym
abstract: glossdef
shortdesc:
section: prelreqs closereqs prereq context result postreq steps-informal tasktroubleshooting refsyn condition cause remedy
section: glossAlt
sectiondiv:
example:
div: equation-block
p: supequip supplies spares reqcontp glossSurfaceForm responsibleParty equation-para
note: glossUsage glossScopeNote hazardstatement
lq:
q:
pre: codeblock msgblock screen
lines:
fig: syntaxdiagram imagemap equation-figure
figgroup: groupseq groupchoice groupcomp fragment synblk
ul: steps-unordered choices messagepanel reqconds reqpers supeqli supplyli sparesli
li: step substep choice consequence howtoavoid typeofhazard stepsection
li: reqcond noconds personnel perscat perskill esttime supequi supply spare safecond nosafety
ol: steps substeps safety
sl:
sli:
dl: parml
dlentry: plentry
dlhead:
dt: pt
dd: pd
dthd:
ddhd:
table:
tgroup:
colspec:
thead:
tbody:
row:
entry:
simpletable: choicetable properties
sthead: chhead prophead
strow: chrow property
stentry: choptionhd chdeschd choption chdesc proptypehd propvaluehd propdeschd proptype propvalue propdesc
itemgroup: info stepxmp stepresult tutorialinfo steptroubleshooting
ph: b i u tt sup sub line-through overline strong em codeph synph filepath userinput systemoutput uicontrol menucascade cmd
ph: msgph sort-as equation-inline
keyword: apiname option parmname kwd delim sep oper cmdname msgnum varname wintitle shortcut
keyword: markupname parameterentity textentity numcharref
markupname: xmlelement xmlatt xmlnsname xmlpi
term: abbreviated-form
cite:
dfn:
tm:
text:
var:
repsep:
fragref:
synnote:
synnoteref:
equation-number:
boolean:
state:
xref: glossAlternateFor
link:
linkpool:
linklist:
linktext:
linkinfo:
desc:
related-links:
image: glossSymbol hazardsymbol
alt:
longdescref:
longquoteref:
object: video audio
param:
area:
shape:
coords:
fn:
indexterm: index-see index-see-also index-sort-as indextermref
index-base:
draft-comment:
required-cleanup:
data: nosupeq nosupply nospares glossPartOfSpeech glossStatus glossProperty change-historylist
data-about:
foreign: mathml svg-container math svg mathmlref svgref
unknown:
coderef:
titlealts:
navtitle:
searchtitle:
subtitle:
prolog:
metadata:
map: bookmap subjectScheme classifyMap
topicref: mapref topichead topicgroup keydef navref anchorref topicset topicsetref glossref ditavalref
topicref: chapter part appendix appendices
topicref: frontmatter backmatter preface notices dedication colophon bookabstract draftintro glossarylist indexlist toc booklists
topicref: tablelist figurelist trademarklist bibliolist booklist amendments abbrevlist subjectdef subjectHead enumerationdef
topicref: schemeref hasInstance hasKind hasNarrower hasPart hasRelated relatedSubjects topicsubject topicapply subjectref
topicref: defaultSubject learningObject learningGroup learningPlan
reltable: topicSubjectTable subjectRelTable
relheader: topicSubjectHeader subjectRelHeader
relrow: topicSubjectRow subjectRel
relcell: topicCell subjectCell subjectRole
relcolspec:
topicmeta: bookmeta subjectHeadMeta ditavalmeta
"""


def _parents() -> dict[str, str]:
    parents: dict[str, str] = {}
    for line in _TABLE.strip().splitlines():
        parent, _, children = line.partition(":")
        parents.setdefault(parent, "")
        parents.update(dict.fromkeys(children.split(), parent))
    return parents


_PARENTS: Final = _parents()
_TOKEN: Final = re.compile(r"([\w.-]+)/([\w.-]+)")


def names(element: etree._Element) -> tuple[str, ...]:
    """The element's names, most special first, base last; its tag alone where nothing is known of it."""
    return _names(str(element.tag), element.get("class") or "")


def is_a(element: etree._Element, name: str) -> bool:
    """Whether the element is a `name` or a specialisation of one."""
    return isinstance(element.tag, str) and name in names(element)


def known(name: str) -> bool:
    """Whether DITA 1.3 has an element of this name."""
    return name in _PARENTS


def child(element: etree._Element, *wanted: str) -> etree._Element | None:
    """The first child that is one of `wanted`."""
    return next((one for one in element if isinstance(one.tag, str) and not set(wanted).isdisjoint(names(one))), None)


def children(element: etree._Element, *wanted: str) -> list[etree._Element]:
    """Every child that is one of `wanted`."""
    return [one for one in element if isinstance(one.tag, str) and not set(wanted).isdisjoint(names(one))]


@lru_cache(maxsize=4096)  # class attributes come from outside
def _names(tag: str, classes: str) -> tuple[str, ...]:
    local = tag.rsplit("}", 1)[-1]
    stated = [match[2] for match in _TOKEN.finditer(classes)]
    if stated:
        return tuple(dict.fromkeys([local, *reversed(stated)]))
    return tuple(ancestry(local))


def ancestry(name: str) -> list[str]:
    """`name` and what it is made of by the built-in table, base last."""
    chain = [name]
    while _PARENTS.get(chain[-1]):
        chain.append(_PARENTS[chain[-1]])
    return chain
