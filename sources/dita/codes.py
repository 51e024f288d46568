"""Every kind of finding of the DITA source."""

from __future__ import annotations

from pipeline.findings import error, warning

# --- reuse
CONREF_TARGET = error(
    "dita.conref-target-missing",
    "Text is to be reused from a place that does not exist or can not be read, so it would be missing.",
    "Correct the conref or conkeyref, or restore or mend its target.",
)
CONREF_CYCLE = error(
    "dita.conref-cycle", "Text reuses itself, in one or more steps.", "Take one of the conrefs of the circle out."
)
CONREF_TYPE = warning(
    "dita.conref-type",
    "An element reuses one of another kind; the text was taken in, in the place of the first.",
    "Reuse an element of the same kind.",
)
CONREF_RANGE = error(
    "dita.conref-range",
    "The last element of a reused range does not follow its first among the same siblings.",
    "Correct conrefend: first and last element of a range have one parent.",
)
REUSE_TOO_LARGE = error(
    "dita.reuse-too-large",
    "Reuse makes a topic larger than 5,000 references or 100,000 elements.",
    "Look for a conref that multiplies itself.",
)
PUSH_TARGET = error(
    "dita.push-target-missing",
    "Text is to be pushed to a place that does not exist or can not be read, so it would be missing.",
    "Correct the conref of the element with conaction, or restore or mend its target.",
)
CODEREF = error("dita.coderef-missing", "The file of a coderef is missing or is no text.", "Correct the href of the coderef.")

# --- keys
KEY_MISSING = warning(
    "dita.key-missing",
    "A key is defined nowhere; the element's own text stands alone.",
    "Define the key in the map, or correct keyref.",
)
KEY_TEXT_MISSING = error(
    "dita.key-text-missing",
    "An element without text takes it from a key that is not defined or gives none, so words would be missing.",
    "Define the key with a keyword or linktext, or write the words in the element.",
)
KEY_AMBIGUOUS = warning(
    "dita.key-ambiguous",
    "A topic stands in several maps or key scopes that define a key differently; the first was used.",
    "Use keys that mean the same in every map, or give each reference a copy-to: then there is a topic for each.",
)

# --- links
LINK_MISSING = warning(
    "dita.link-target-missing",
    "A link leads to nothing in the inputs, or to a file that can not be read; its words stay, the link goes.",
    "Correct or remove the link; where its file can not be read, mend that.",
)
LINK_UNPUBLISHED = warning(
    "dita.link-target-unpublished",
    "A link leads to a topic that is not published; its words stay, the link goes.",
    "Take the topic into a map, or remove the link.",
)
LINK_SCHEME = warning(
    "dita.link-address",
    "An outside link has no address of the kind http, https, mailto or tel; its words stay, the link goes.",
    "Write the whole address, with https:// in front.",
)
LINK_FORMAT = warning(
    "dita.link-format",
    "A link leads to a file that is no topic; such files are not published. Its words stay, the link goes.",
    "Link to a topic or to a public address.",
)
LINK_TEXT = warning(
    "dita.link-text-missing", "A link has no words and its target has no title, so it was left out.", "Write the link's words."
)

# --- maps
MAP_TARGET = error(
    "dita.map-target-missing",
    "A map asks for a topic or map that is not in the inputs, or for one in a file that holds no such topic.",
    "Correct the href, or add the file to the inputs. Elements of a specialisation need the class of their base.",
)
MAP_FORMAT = warning(
    "dita.map-format",
    "A map takes in a file that is no DITA (Markdown, HTML, ...); it is not published.",
    "Convert the file to DITA, or mark the reference resource-only.",
)
MAP_CYCLE = warning("dita.map-cycle", "Maps take each other in, in a circle.", "Take one of the references of the circle out.")
MAP_LIMIT = error(
    "dita.map-limit",
    "Maps are nested too deep (200 levels), or take each other in too often (200,000 references). What they leave out is not"
    " known, so no DITA topic is published.",
    "Take maps out of maps; if nobody wrote them like this on purpose, find out where they came from.",
)
COPY_TITLE = warning(
    "dita.copy-to-title",
    "A copy of a topic (copy-to) has the title of the original or of another copy, so readers can not tell them apart.",
    "Write a linktext in the topicmeta of its reference, or use one topic in both places.",
)
COPY_TAKEN = warning(
    "dita.copy-to-taken",
    "A copy-to names a file of the inputs, or gives the name of another topic's copy; links by that name lead to the other.",
    "Choose another name.",
)
BRANCH_FILTER = error(
    "dita.branch-filter",
    "The branches of maps that a topic stands in filter it differently (ditavalref), or a filter can not be read.",
    "Give each ditavalref a dvrResourceSuffix, or each reference a copy-to: then there is a topic for each. Or name the DITAVAL"
    " in the partner's settings.",
)
REUSE_ONLY = warning(
    "dita.reuse-only",
    "No map mentions a topic that others reuse text from; it is taken for a library and not published.",
    "Mention it in a map: resource-only where it is a library, else in its place.",
)

NO_TOPIC = error(
    "dita.no-topic",
    "A file says that it is DITA, and no topic can be made out in it.",
    "Give its elements the class of their base (class='- topic/topic ...'), or take the file out of the inputs.",
)
GONE = error("dita.topic-gone", "A topic is no longer where it was when the run began.", "Run again.")

# --- metadata
VALUE = warning("dita.metadata-value", "A value in the metadata is not what it must be; it was left out.", "Correct the value.")
LIMIT = error(
    "dita.metadata-limit",
    "A value that decides whether a topic may be shown (status, first or last day) can not be read.",
    "Correct the value: days are YYYY-MM-DD, a status is active, in-review or withdrawn.",
)
NOT_REVIEWED = warning(
    "dita.current-as-of-missing",
    "A topic does not say when it was last reviewed; the day of its last edit stands in for it.",
    "Add <data name='current-as-of' value='YYYY-MM-DD'/> to the prolog.",
)
LANGUAGE = warning(
    "dita.language-invalid", "An xml:lang is no language tag; it was left out.", "Write a BCP 47 tag: en, es-US, ar."
)
NO_ID = warning("dita.id-missing", "A topic has no id; it goes by the name of its file.", "Give the topic an id.")
PERMISSIONS = error(
    "dita.permissions",
    "A topic's permissions, or those of its reference or map, say that it is internal or classified.",
    "Take it out of the maps; or, where it is for partners after all, write <permissions view='all'/>.",
)
OBSOLETE = warning(
    "dita.importance-obsolete",
    "A topic is marked as obsolete or deprecated (importance), and it is published without a mark.",
    "Take it out of the maps, give it <data name='status' value='withdrawn'/>, or take the importance away.",
)
NO_TITLE = warning("dita.title-missing", "A topic has no title.", "Give the topic a title.")

# --- body
OUT_OF_PLACE = error(
    "dita.words-out-of-place",
    "Words stand where DITA has no place for words (right in a table, a list, an image), so they would be missing.",
    "Put the words into a paragraph, an item or a cell.",
)
UNKNOWN = warning(
    "dita.unknown-element",
    "An element is in no DITA 1.3 vocabulary; its text was kept as it stands.",
    "Correct its name, or give it the class of its base element.",
)
DRAFT = warning(
    "dita.draft-comment",
    "A note to editors is left in the text; readers do not get it.",
    "Settle the matter and remove the note.",
)
CHANGES = warning(
    "dita.change-pending",
    "Text is marked as deleted (status), or holds tracked changes that nobody has accepted or rejected. It is published as it"
    " stands.",
    "Accept or reject the changes in the editor; take out what is deleted.",
)
ALT = warning("dita.image-alt-missing", "An image has no alternative text.", "Add <alt>; for a mere ornament, an empty one.")
IMAGE = warning(
    "dita.image-left-out",
    "An image can not be shown (outside address, or drawn inside the text); its alternative text stands in its place.",
    "Refer to an image file among the inputs.",
)
OBJECT = warning(
    "dita.object",
    "Video, audio and other objects are not published; their alternative text stands in their place.",
    "Write in <desc> what readers need to know.",
)
FOREIGN = warning(
    "dita.foreign", "Mark-up of another vocabulary can not be shown; its text was kept.", "Use DITA, MathML or an image."
)
MATH = warning("dita.math", "A formula's file is missing or holds no MathML.", "Correct the reference to the formula.")
DELIVERY = warning(
    "dita.delivery-target",
    "A deliveryTarget names no format of ours; the element is in all of them.",
    "Use html, print, epub, text or json, or decide with a DITAVAL.",
)
TABLE = warning("dita.table-span", "A cell of a table spans columns that the table does not have.", "Correct namest and nameend.")
DITAVAL = error(
    "dita.ditaval", "A line of the DITAVAL can not be read, so what must be left out is not known.", "Correct the DITAVAL."
)
DITAVAL_UNREAD = error(
    "dita.ditaval-unreadable", "The DITAVAL can not be read, so what must be left out is not known.", "Correct the file."
)
