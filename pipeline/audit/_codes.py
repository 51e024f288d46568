"""Every kind of finding of the audit. All are errors: a topic whose proof fails is held back."""

from __future__ import annotations

from pipeline.findings import error

_RENDERING = "Mend the format or the template that made this file; the topic is held back until then."
_TEMPLATE = "Mend the template or style sheet that surrounds the topic (a partner's own, or ours)."

UNREADABLE = error("audit.unreadable", "A finished file can not be read as its media type.", _RENDERING)
MARKUP = error("audit.markup", "Mark-up that browsers may understand otherwise than this proof does.", _RENDERING)
CHARACTER = error("audit.character", "A character that hides or reorders text, and that the topic does not have.", _RENDERING)

TEXT_LOST = error("audit.text-lost", "Words of the topic are missing.", _RENDERING)
TEXT_CHANGED = error("audit.text-changed", "Words of the topic are not as they were written.", _RENDERING)
TEXT_ADDED = error("audit.text-added", "Words that are neither the topic's nor known labels.", _RENDERING)
TEXT_HIDDEN = error("audit.text-hidden", "Words of the topic are there but can not be seen.", _TEMPLATE)
ORDER = error("audit.order", "Words of the topic stand in another order.", _RENDERING)
STRUCTURE = error("audit.structure", "Words of the topic have lost what they are: heading, list item, cell, warning.", _RENDERING)
WARNING_WORD = error("audit.warning-word", "A warning without its word (Warning, Emergency, ...).", _RENDERING)
OMITTED = error("audit.omitted", "What a format left out is not what it may leave out, or is counted wrong.", _RENDERING)
HEADING = error("audit.heading-level", "Heading levels skip or do not follow the sections.", _RENDERING)
TABLE = error("audit.table-header", "A table header cell without the scope that the topic gives it.", _RENDERING)
IMAGE_LOST = error("audit.image-lost", "An image of the topic, or its alternative text, is missing.", _RENDERING)
LINK_LOST = error("audit.link-lost", "A link of the topic is missing or leads elsewhere.", _RENDERING)
LINK_BROKEN = error("audit.link-broken", "A link to a place in the same file that does not exist.", _RENDERING)
ID_TWICE = error("audit.id-twice", "An id that stands more than once in one file.", _RENDERING)
NAMES = error("audit.names", "A class or id outside the agreed names (`syn-*`, `syn-<topic>--<anchor>`).", _RENDERING)
LEFTOVER = error("audit.leftover", "An internal attribute that must not reach an output.", _RENDERING)
ACTIVE = error("audit.active-content", "Scripts, event handlers, inline styles or forms.", _RENDERING)

BODY_PLACE = error("audit.body-place", "The topic's text does not stand once, whole and visible in the file.", _TEMPLATE)
NOTICE_MISSING = error("audit.notice-missing", "A notice that the site must show is missing.", _TEMPLATE)
NOTICE_TWICE = error("audit.notice-twice", "A notice that must stand once stands more often.", _TEMPLATE)
NOTICE_ALTERED = error("audit.notice-altered", "A notice whose text or address is not exactly what it must be.", _TEMPLATE)
NOTICE_HIDDEN = error("audit.notice-hidden", "A notice that readers can not see.", _TEMPLATE)
NOTICE_ORDER = error("audit.notice-order", "Notices stand in another order than the site's settings say.", _TEMPLATE)
NOTICE_UNKNOWN = error("audit.notice-unknown", "A notice that this edition does not have.", _TEMPLATE)
TITLE = error("audit.title", "The topic's title is missing, hidden or altered.", _TEMPLATE)
MARK = error("audit.mark-missing", "A mark under the title (corrected, review due, ...) is missing or hidden.", _TEMPLATE)
LANGUAGE = error("audit.language", "The file's language or writing direction is not the topic's.", _TEMPLATE)
METADATA = error("audit.metadata", "A value in the file's metadata is not the edition's.", _TEMPLATE)
FULL_STOP = error("audit.full-stop", "A line that ends in two full stops.", "Take one away where the text comes from.")
REQUEST = error(
    "audit.outside-request", "A browser or reading system would ask another host for something.", "Pack it with the topic."
)
RESOURCE = error("audit.resource-missing", "A file that the page needs is not in the bundle.", "Add it to the bundle.")
LINK_SCHEME = error("audit.link-scheme", "A link that runs or embeds something instead of leading somewhere.", _RENDERING)
STYLE = error("audit.style", "A style that could hide, cover or reorder what readers must see.", _TEMPLATE)
LEAK = error(
    "audit.leak",
    "A finished file names a topic or picture that its site does not have: an address, an id, a value or a link's text.",
    "Mend the format or template that wrote it, or grant the site what it names.",
)
