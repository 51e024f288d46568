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
topic: no-topic-nesting concept task reference troubleshooting learningBase
concept: glossentry glossgroup
learningBase: learningOverview learningContent learningSummary learningAssessment learningPlan
body: conbody taskbody refbody troublebody learningBasebody
conbody: glossBody
learningBasebody: learningOverviewbody learningContentbody learningSummarybody learningAssessmentbody learningPlanbody
bodydiv: conbodydiv refbodydiv troubleSolution
title: glossterm glossAcronym glossAbbreviation glossShortForm glossSynonym booktitle titlealt
titlealt: linktitle subtitle titlehint
abstract: glossdef
shortdesc:
section: prereq context result postreq steps-informal tasktroubleshooting refsyn condition cause remedy
section: diagnostics diagnostics-general diagnostics-steps glossAlt
prereq: prelreqs
postreq: closereqs
section: lcIntro lcObjectives lcAudience lcDuration lcPrereqs lcChallenge lcInstruction lcInteraction lcSummary lcReview
section: lcNextSteps lcResources lcProject lcNeedsAnalysis lcGapAnalysis lcIntervention lcTechnical
example:
sectiondiv:
div: equation-block lcQuestionBase2 lcAsset2 lcFeedback2 lcFeedbackCorrect2 lcFeedbackIncorrect2 lcAnswerContent2 lcOpenAnswer2
lcQuestionBase2: lcQuestion2
p: lcInteractionLabel2 supequip supplies spares glossSurfaceForm responsibleParty equation-para
p: lcAsset lcFeedback lcFeedbackCorrect lcFeedbackIncorrect lcAnswerContent lcOpenAnswer lcQuestionBase
lcQuestionBase: lcQuestion
p: lcAge lcAssessment lcAttitude lcBackground lcDelivery lcEdLevel lcGapItemDelta lcGeneralDescription lcGoals lcJtaItem
p: lcKnowledge lcLearnStrat lcMotivation lcNeeds lcOrgConstraints lcPlanObjective lcPlanResources lcProcesses lcSkills lcSpecChars
p: lcTaskItem lcValues lcWorkEnvDescription
note: glossUsage glossScopeNote hazardstatement lcInstructornote lcInstructornote2
lq:
q:
pre: codeblock msgblock screen
lines:
fig: syntaxdiagram imagemap equation-figure lcInteractionBase
fig: lcCIN lcClassroom lcClient lcConstraints lcDelivDate lcDownloadTime lcFileSizeLimitations lcGapItem lcGraphics lcHandouts
fig: lcInterventionItem lcLMS lcModDate lcNoLMS lcOJT lcOrganizational lcPlanAudience lcPlanDescrip lcPlanPrereqs lcPlanSubject
fig: lcPlanTitle lcPlayers lcResolution lcSecurity lcTask lcViewers lcW3C lcWorkEnv
lcInteractionBase: lcTrueFalse lcSingleSelect lcMultipleSelect lcSequencing lcMatching lcHotspot lcOpenQuestion
section: lcInteractionBase2
lcInteractionBase2: lcTrueFalse2 lcSingleSelect2 lcMultipleSelect2 lcSequencing2 lcMatching2 lcHotspot2 lcOpenQuestion2
figgroup: groupseq groupchoice groupcomp fragment synblk area lcArea lcHotspotMap
div: lcHotspotMap2 lcArea2
ul: steps-unordered choices messagepanel supeqli supplyli sparesli lcObjectivesGroup lcAnswerOptionGroup lcAnswerOptionGroup2
li: step substep choice consequence howtoavoid typeofhazard stepsection reqcond noconds reqcontp personnel perscat perskill
li: esttime supequi supply spare safecond nosafety lcObjective lcAnswerOption lcSequenceOption lcAnswerOption2 lcSequenceOption2
ol: steps substeps safety reqconds reqpers lcSequenceOptionGroup lcSequenceOptionGroup2
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
simpletable: choicetable properties lcMatchTable lcMatchTable2
sthead: chhead prophead lcMatchingHeader lcMatchingHeader2
strow: chrow property lcMatchingPair lcMatchingPair2
stentry: choptionhd chdeschd choption chdesc proptypehd propvaluehd propdeschd proptype propvalue propdesc
stentry: lcItem lcMatchingItem lcMatchingItemFeedback lcItem2 lcMatchingItem2 lcMatchingItemFeedback2
itemgroup: info stepxmp stepresult tutorialinfo steptroubleshooting
ph: b i u tt sup sub line-through overline strong em codeph synph filepath userinput systemoutput uicontrol menucascade cmd
ph: msgph sort-as equation-inline oper delim sep repsep var coords lcObjectivesStem lcAreaCoords lcAreaCoords2 lcObjectivesStem2
ph: booklibrary booktitlealt mainbooktitle completed started summary revisionid year month day
keyword: apiname option parmname kwd cmdname msgnum varname wintitle shortcut shape lcAreaShape lcAreaShape2
keyword: markupname parameterentity textentity numcharref anchorid anchorkey
markupname: xmlelement xmlatt xmlnsname xmlpi
term: abbreviated-form
cite:
dfn:
tm:
text:
equation-number:
boolean:
state:
xref: glossAlternateFor fragref synnoteref coderef change-request-reference
link:
linkpool:
linklist:
linktext:
keytext:
linkinfo:
desc:
related-links:
image: glossSymbol hazardsymbol
alt:
longdescref:
longquoteref:
object: video audio
param: media-source media-track media-autoplay media-controls media-loop media-muted video-poster
fallback:
include:
fn: synnote
indexterm: index-see index-see-also index-sort-as indextermref
index-base:
draft-comment:
required-cleanup:
data: nosupeq nosupply nospares glossPartOfSpeech glossStatus glossProperty change-historylist lcTime lcCorrectResponse lcSequence
data: lcTime2 lcCorrectResponse2 lcSequence2 bookchangehistory bookid bookrights sort-key
data: personinfo organizationinfo namedetails personname organizationnamedetails emailaddresses contactnumbers
data-about:
foreign: mathml svg-container math svg mathmlref svgref
unknown:
titlealts:
navtitle:
searchtitle:
prolog:
author: authorinformation
metadata: lcLom
map: bookmap subjectScheme classifyMap learningBookmap learningMap learningGroupMap learningObjectMap
topicref: mapref topichead topicgroup keydef navref anchorref topicset topicsetref glossref ditavalref
topicref: chapter part appendix appendices
topicref: frontmatter backmatter preface notices dedication colophon bookabstract draftintro glossarylist indexlist toc booklists
topicref: tablelist figurelist trademarklist bibliolist booklist amendments abbrevlist subjectdef subjectHead enumerationdef
topicref: schemeref hasInstance hasKind hasNarrower hasPart hasRelated relatedSubjects topicsubject topicapply subjectref
topicref: defaultSubject learningObject learningGroup learningObjectMapRef learningGroupMapRef learningOverviewRef
topicref: learningContentComponentRef learningSummaryRef learningPlanRef learningPreAssessmentRef learningPostAssessmentRef
topicref: learningContentRef mapresources
reltable: topicSubjectTable subjectRelTable
relheader:
relrow: topicSubjectRow subjectRel topicSubjectHeader subjectRelHeader
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
_TOKEN: Final = re.compile(r"(?<![\w.-])([\w.-]++)/([\w.-]++)")


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
    return next((one for one in element if isinstance(one.tag, str) and _any_of(wanted, names(one))), None)


def children(element: etree._Element, *wanted: str) -> list[etree._Element]:
    """Every child that is one of `wanted`."""
    return [one for one in element if isinstance(one.tag, str) and _any_of(wanted, names(one))]


def _any_of(wanted: tuple[str, ...], found: tuple[str, ...]) -> bool:
    return wanted[0] in found or (len(wanted) > 1 and any(name in found for name in wanted))


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
