"""Seeded faults in pages: each is one way in which a finished file can lose, alter, double or hide what readers must
see. Every one is caught, by its own kind of finding, and the files as they come from the formats give none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from editions import SITE
from proven import FORMATS, codes, rendering, swapped

good = cache(rendering)


@pytest.mark.parametrize("name", FORMATS)
def test_files_as_they_come_from_the_formats_are_proven(name: str) -> None:
    assert good(name).body_findings() == []
    assert good(name).file_findings() == []


# --- notices on a page --------------------------------------------------------------------------

DISCLAIMER = "This information does not replace the advice of a doctor."
PARTNER = '<p class="syn-notice syn-notice--partner-disclaimer" data-notice="partner-disclaimer">'
PARTNER_TEXT = "Not all treatments or services described are covered benefits."
WHOLE = f"{PARTNER}{PARTNER_TEXT}</p>"
COPYRIGHT = 'data-notice="copyright"'

NOTICE_FAULTS = {
    "lost": (WHOLE, "", "notice-missing"),
    "commented out": (WHOLE, f"<!-- {WHOLE} -->", "notice-missing"),
    "commented out by a comment that browsers end at once": (WHOLE, f"<!-->{WHOLE}<!-- -->", "markup"),
    "one word": (PARTNER_TEXT, PARTNER_TEXT.replace("Not all", "All"), "notice-altered"),
    "one letter": ("advice of a doctor", "advice of a docter", "notice-altered"),
    "a year": ('data-notice="copyright">© 1995-2023', 'data-notice="copyright">© 1995-2022', "notice-altered"),
    "the holder": (
        '"copyright">© 1995-2023 Example Health Press, Inc.',
        '"copyright">© 1995-2023 Example Health Press, LLC.',
        "notice-altered",
    ),
    "a full stop": (PARTNER_TEXT, PARTNER_TEXT + ".", "notice-altered"),
    "cut off": (PARTNER_TEXT, PARTNER_TEXT[:20], "notice-altered"),
    "a word of another language": ("Terms of use</a>", "Términos de uso</a>", "notice-altered"),
    "another address": ('href="https://example.org/terms" rel', 'href="https://example.com/terms" rel', "notice-altered"),
    "twice": (WHOLE, WHOLE + WHOLE, "notice-twice"),
    "its words once more, unmarked": (WHOLE, f"{WHOLE}<p>{PARTNER_TEXT}</p>", "notice-twice"),
    "one that the edition does not have": (WHOLE, f'{WHOLE}<p data-notice="sponsor">Brought to you.</p>', "notice-unknown"),
    "a word inserted by an entity": ("advice of a doctor", "advice of&#32;no a doctor", "notice-altered"),
    "a letter that looks the same": ("advice of a doctor", "advice of а doctor", "notice-altered"),
    "a zero-width space": ("advice of a doctor", "advice of a doc\u200btor", "notice-altered"),
    "a zero-width space as an entity": ("advice of a doctor", "advice of a doc&#8203;tor", "notice-altered"),
    "a soft hyphen": ("advice of a doctor", "advice of a doc&shy;tor", "notice-altered"),
    "turned round": (DISCLAIMER, "\u202e" + DISCLAIMER, "notice-altered"),
    "turned round by what stands before it": ("<h2 id=", "<p>\u202e</p><h2 id=", "character"),
    "attribute hidden": (PARTNER, PARTNER.replace("<p", "<p hidden"), "notice-hidden"),
    "attribute hidden, upper case": (PARTNER, PARTNER.replace("<p", '<p HIDDEN="until-found"'), "notice-hidden"),
    "attribute inert": (PARTNER, PARTNER.replace("<p", "<p inert"), "notice-hidden"),
    "attribute popover": (PARTNER, PARTNER.replace("<p", "<p popover"), "notice-hidden"),
    "aria-hidden": (PARTNER, PARTNER.replace("<p", '<p aria-hidden="true"'), "notice-hidden"),
    "a part of it hidden": (PARTNER_TEXT, f"<span hidden>{PARTNER_TEXT[:4]}</span>{PARTNER_TEXT[4:]}", "notice-altered"),
    "style display": (PARTNER, PARTNER.replace("<p", '<p style="display:none"'), "notice-hidden"),
    "style with an escape": (PARTNER, PARTNER.replace("<p", r'<p style="d\69splay: none"'), "notice-hidden"),
    "style with a comment": (PARTNER, PARTNER.replace("<p", '<p style="display:/**/none"'), "notice-hidden"),
    "style around it": (WHOLE, f'<div style="opacity:.05">{WHOLE}</div>', "notice-hidden"),
    "style, white on white": (PARTNER, PARTNER.replace("<p", '<p style="color:#fefefe"'), "notice-hidden"),
    "style, black on black": (PARTNER, PARTNER.replace("<p", '<p style="background:black"'), "notice-hidden"),
    "noscript": (WHOLE, f"<noscript>{WHOLE}</noscript>", "notice-hidden"),
    "template": (WHOLE, f"<template>{WHOLE}</template>", "notice-hidden"),
    "details": (WHOLE, f"<details><summary>Legal</summary>{WHOLE}</details>", "notice-hidden"),
    "details that closes itself": ("<footer", "<details/><footer", "markup"),
    "dialog": (WHOLE, f"<dialog>{WHOLE}</dialog>", "notice-hidden"),
    "button": (WHOLE, f"<button>{WHOLE}</button>", "notice-hidden"),
    "a select's option": (WHOLE, f"<select><option>{WHOLE}</option></select>", "notice-hidden"),
    "svg": (WHOLE, f"<svg>{WHOLE}</svg>", "notice-hidden"),
    "text area": (WHOLE, f"<textarea>{WHOLE}</textarea>", "notice-missing"),
    "iframe": (WHOLE, f"<iframe srcdoc='{WHOLE}'></iframe>", "notice-missing"),
    "in an attribute": (WHOLE, f"<p title='{PARTNER_TEXT}'></p>", "notice-missing"),
    "inside another notice": (f"{DISCLAIMER}</p>", f"{DISCLAIMER} {WHOLE}</p>", "markup"),
    "words as plain text": (WHOLE, f"<xmp>{WHOLE}</xmp>", "markup"),
    "never closed": (WHOLE, f"<div hidden>{WHOLE}", "notice-hidden"),
    "closed by the wrong tag": (WHOLE, f"<div hidden><b>{WHOLE}</div>", "markup"),
    "a second body": (WHOLE, f'<body style="display:none">{WHOLE}', "markup"),
    "a processing instruction": (WHOLE, f"<?php hide(); ?>{WHOLE}", "markup"),
    "a control character": (PARTNER_TEXT, PARTNER_TEXT.replace(" ", "\x07 ", 1), "character"),
}


@pytest.mark.parametrize("fault", NOTICE_FAULTS)
def test_a_notice_that_is_not_exact_visible_and_once(fault: str) -> None:
    old, new, code = NOTICE_FAULTS[fault]
    assert f"audit.{code}" in codes(good("html").changed(old, new).file_findings())


@pytest.mark.parametrize("fault", [f for f, (old, _, _) in NOTICE_FAULTS.items() if old not in ("Terms of use</a>",)])
def test_the_same_on_the_print_page(fault: str) -> None:
    old, new, code = NOTICE_FAULTS[fault]
    if old.startswith("href="):
        old, new = "https://example.org/terms</a>", "https://example.com/terms</a>"
    assert f"audit.{code}" in codes(good("print").changed(old, new).file_findings())


def test_notices_in_another_order() -> None:
    page = good("html")
    text = page.files[0].data.decode()
    start, end = text.index(PARTNER), text.index("</footer>")
    copyright_start = text.index('<p class="syn-notice syn-notice--copyright"')
    moved = text[:copyright_start] + text[start:end] + text[copyright_start:start] + text[end:]
    assert codes(page.with_main(moved.encode()).file_findings()) == {"audit.notice-order"}


def test_a_finding_says_which_notice_and_what_was_expected() -> None:
    (finding,) = good("html").changed("advice of a doctor", "advice of a docter").file_findings()
    assert finding.text == (
        f'html: publisher-disclaimer: expected "{DISCLAIMER}", found "{DISCLAIMER.replace("doctor", "docter")}"'
    )
    assert (finding.topic, finding.partner, finding.place) == ("blood-pressure en", "riverside", "topics/blood-pressure.xml:1")
    assert finding.action


# --- style sheets -------------------------------------------------------------------------------

STYLE_FAULTS = {
    "display": ".syn-notice--copyright { display: none }",
    "display, important": "p.syn-notice { display: none !important }",
    "display of what is around": "footer { display: none }",
    "display on paper": "@media print { .syn-footer { display: none } }",
    "display on a telephone": "@media (max-width: 30em) { .syn-notice { display: none } }",
    "display in a layer": "@layer late { .syn-notice { display: none } }",
    "display where supported": "@supports (display: grid) { .syn-notice { display: none } }",
    "display in a container": "@container (min-width: 1px) { .syn-notice { display: none } }",
    "display by a variable": ":root { --x: none } .syn-notice { display: var(--x) }",
    "display by a fall-back": ".syn-notice { display: var(--never-set, none) }",
    "display, escaped": r".syn-notice { d\69 splay: none }",
    "display, escaped class": r".syn-\6eotice { display: none }",
    "display, upper case": ".syn-notice { DISPLAY: NONE }",
    "display by attribute": '[data-notice="copyright"] { display: none }',
    "display by half an attribute": "[data-notice^=copy] { display: none }",
    "display by place": "footer > :nth-child(2) { display: none }",
    "display by what is before": "p + p { display: none }",
    "display by :is": ":is(p, div):not(.syn-x) { display: none }",
    "display by :where": ":where(.syn-notice) { display: none }",
    "display by :has": "body:has(h1) footer { display: none }",
    "display, nested": "footer { & .syn-notice { display: none } }",
    "display, nested without sign": "footer { .syn-notice { display: none } }",
    "display after a broken rule": '.x { content: "\n} .syn-notice { display: none }',
    "display after a comment": "/* } */ .syn-notice/**/{ display: none }",
    "display after old comment signs": "<!-- .syn-notice { display: none } -->",
    "display in a list": ".a, .b, .syn-notice, .c { display: none }",
    "display of everything": "* { display: none }",
    "a selector from tomorrow": "footer >> p { display: none }",
    "visibility": ".syn-footer { visibility: hidden }",
    "visibility, collapsed": ".syn-notice { visibility: collapse }",
    "content-visibility": ".syn-footer { content-visibility: hidden }",
    "opacity": ".syn-notice { opacity: 0 }",
    "opacity, nearly none": ".syn-notice { opacity: 3% }",
    "filter": ".syn-notice { filter: opacity(0) }",
    "mask": ".syn-notice { mask: linear-gradient(transparent, transparent) }",
    "font size nought": ".syn-notice { font-size: 0 }",
    "font size tiny": ".syn-notice { font-size: 1px }",
    "font size, small part": ".syn-notice { font-size: .1em }",
    "font shorthand": ".syn-notice { font: 0/0 a }",
    "line height": ".syn-notice { line-height: 0 }",
    "letters over each other": ".syn-notice { letter-spacing: -1em }",
    "left of the page": ".syn-notice { position: absolute; left: -9999px }",
    "left of the page by margin": ".syn-notice { margin-left: -9999px }",
    "left of the page by indent": ".syn-notice { text-indent: -9999px }",
    "right of the page": ".syn-notice { padding-inline-start: 9999px }",
    "below the page": ".syn-notice { position: fixed; top: 200vh }",
    "moved": ".syn-notice { transform: translateX(-200vw) }",
    "shrunk": ".syn-notice { scale: 0 }",
    "zoomed": ".syn-notice { zoom: 1% }",
    "clipped": ".syn-notice { clip-path: inset(100%) }",
    "clipped the old way": ".syn-notice { position: absolute; clip: rect(0 0 0 0) }",
    "no height": ".syn-footer { max-height: 0; overflow: hidden }",
    "one line": ".syn-footer { display: -webkit-box; -webkit-line-clamp: 1; overflow: hidden }",
    "white on white": ".syn-notice { color: #fff }",
    "white on white in another way": ".syn-notice { color: rgb(255 255 255 / 99%) }",
    "white on white by a name": ".syn-notice { color: snow }",
    "white on white by a variable": ".syn-page { --syn-soft: #fdfdfd }",
    "white on white in a dark room": "@media (prefers-color-scheme: dark) { .syn-page { background-color: #b4bfc9 } }",
    "see-through": ".syn-notice { color: transparent }",
    "nearly see-through": ".syn-notice { color: rgba(0, 0, 0, .05) }",
    "same colour behind": ".syn-footer { background: #4c5863 }",
    "fill colour": ".syn-notice { -webkit-text-fill-color: transparent }",
    "text clipped out": ".syn-notice { background-clip: text }",
    "another word": '.syn-notice--copyright::after { content: " Not valid." }',
    "another word by number": r'.syn-notice::before { content: "\4e\6f\74 " }',
    "another word from an attribute": ".syn-notice::before { content: attr(class) }",
    "a picture for it": ".syn-notice { content: url(data:image/png;base64,AA==) }",
    "capitals": ".syn-notice { text-transform: uppercase }",
    "struck through": ".syn-notice { text-decoration: line-through }",
    "mirrored": ".syn-notice { direction: rtl; unicode-bidi: bidi-override }",
    "upright": ".syn-notice { writing-mode: vertical-rl }",
    "in reverse order": ".syn-footer { display: flex; flex-direction: column-reverse }",
    "in another order": ".syn-footer { display: grid } .syn-notice--copyright { order: 9 }",
    "covered": ".syn-header { position: fixed; inset: 0; background: #fff }",
    "covered by a generated box": '.syn-footer::before { content: ""; position: absolute; inset: 0; background: #fff }',
    "covered by what follows": ".syn-logo, .syn-partner { margin-top: -400px }",
    "faded out": ".syn-notice { animation: gone 1s forwards }",
    "a property from tomorrow": ".syn-notice { obscure: fully }",
}


@pytest.mark.parametrize("fault", STYLE_FAULTS)
def test_a_sheet_that_hides_covers_or_alters_notices(fault: str) -> None:
    found = codes(good("html").styled(STYLE_FAULTS[fault]).file_findings())
    assert found & {"audit.notice-hidden", "audit.style"}


BODY_STYLE_FAULTS = {
    "items": ".syn-body li { display: none }",
    "one item": ".syn-body li:nth-child(2) { visibility: hidden }",
    "a warning": ".syn-note--emergency { display: none }",
    "a warning's word": ".syn-note__label { font-size: 0 }",
    "a warning's colour": ".syn-note--emergency p { color: #fdeeed }",
    "cells": "td:last-child { opacity: 0 }",
    "pictures": "figure { display: none }",
    "powers": "sup { font-size: 1px }",
    "numbers of steps": "ol { list-style: none }",
    "numbers of steps, item by item": "ol > li { list-style-type: disc }",
    "units in capitals": ".syn-body p { text-transform: uppercase }",
    "doses struck through": "dd { text-decoration-line: line-through }",
    "order of sections": ".syn-body { display: flex; flex-direction: column-reverse }",
    "all of it": "article { max-height: 10em; overflow: hidden }",
    "on paper": "@media print { .syn-body table { display: none } }",
    "all of it by its place": "main .syn-topic > div { display: none }",
}


@pytest.mark.parametrize("fault", BODY_STYLE_FAULTS)
def test_a_sheet_that_hides_words_of_the_topic(fault: str) -> None:
    found = codes(good("html").styled(BODY_STYLE_FAULTS[fault]).file_findings())
    assert found & {"audit.text-hidden", "audit.body-place"}


@pytest.mark.parametrize(
    "css",
    [
        "",
        ".syn-notice { margin: 0 0 1em; font-size: .9rem; text-align: start }",
        ".syn-header { display: none }",
        ".syn-toc { position: sticky; top: 1rem }",
        "a::after { content: ' \\2197' }",
        ".syn-footer { border-top: 4px solid #0b5fa5; padding: 1rem 2rem; columns: 2 }",
        "@media (prefers-color-scheme: dark) { .syn-notice { color: #eee } }",
        "@page { margin: 2cm; @bottom-right { content: 'Page ' counter(page) } }",
        "@font-face { font-family: X; src: local('X') }",
        ".syn-body ul { list-style: none }",
        ".syn-notice a:hover { text-decoration: none }",
    ],
)
def test_a_sheet_that_hides_nothing(css: str) -> None:
    assert good("html").styled(css).file_findings() == []


# --- requests and active content ----------------------------------------------------------------

REQUEST_FAULTS = {
    "picture": '<img src="https://cdn.example.net/x.png" alt="">',
    "picture without scheme": '<img src="//cdn.example.net/x.png" alt="">',
    "picture with backslashes": r'<img src="\\cdn.example.net/x.png" alt="">',
    "picture with a line end in its scheme": '<img src="ht&#10;tps://cdn.example.net/x.png" alt="">',
    "picture with a space before": '<img src=" HTTPS://cdn.example.net/x.png" alt="">',
    "picture set": '<img src="data:," srcset="a.png 1x, https://cdn.example.net/x.png 2x" alt="">',
    "source set": '<picture><source srcset="https://cdn.example.net/x.webp"><img src="data:," alt=""></picture>',
    "style": '<p style="background:url(https://cdn.example.net/x.png)">.</p>',
    "style with an escape": r'<p style="background:u\72l(https://cdn.example.net/x.png)">.</p>',
    "style element": "<style>@import 'https://cdn.example.net/x.css';</style>",
    "image set": "<style>p { background: image-set('https://cdn.example.net/x.png' 1x) }</style>",
    "font": "<style>@font-face { font-family: X; src: url(https://cdn.example.net/x.woff2) }</style>",
    "sheet": '<link rel="stylesheet" href="https://cdn.example.net/x.css">',
    "preload": '<link rel="preload" as="font" href="https://cdn.example.net/x.woff2">',
    "prefetch": '<link rel="prefetch" href="https://cdn.example.net/next.html">',
    "dns": '<link rel="dns-prefetch" href="//cdn.example.net">',
    "connection": '<link rel="license preconnect" href="https://cdn.example.net">',
    "icon": '<link rel="icon" href="https://cdn.example.net/x.ico">',
    "refresh": '<meta http-equiv="refresh" content="0; url=https://example.net/">',
    "script": '<script src="https://cdn.example.net/x.js"></script>',
    "frame": '<iframe src="https://example.net/"></iframe>',
    "object": '<object data="https://example.net/x.svg"></object>',
    "embed": '<embed src="https://example.net/x.svg">',
    "video": '<video poster="https://example.net/x.png"></video>',
    "audio": '<audio src="https://example.net/x.mp3"></audio>',
    "svg use": '<svg><use href="https://example.net/x.svg#a"/></svg>',
    "svg image": '<svg><image xlink:href="https://example.net/x.png"/></svg>',
    "svg filter": '<svg><rect filter="url(https://example.net/x.svg#f)"/></svg>',
    "ping": '<a href="#syn-blood-pressure--syn-main" ping="https://example.net/">x</a>',
    "base": '<base href="https://example.net/">',
    "form": '<form action="https://example.net/"></form>',
}


@pytest.mark.parametrize("fault", REQUEST_FAULTS)
def test_a_request_to_another_host(fault: str) -> None:
    assert "audit.outside-request" in codes(good("html").changed("<header", f"{REQUEST_FAULTS[fault]}<header").file_findings())


def test_a_sheet_of_the_bundle_that_asks_another_host() -> None:
    found = good("html").styled("p { background: url(//cdn.example.net/x.png) }").file_findings()
    assert "audit.outside-request" in codes(found)


ACTIVE_FAULTS = {
    "script": "<script>document.querySelector('footer').remove()</script>",
    "module": "<script type=module>1</script>",
    "speculation rules": '<script type="speculationrules">{}</script>',
    "handler": "<p onclick='x()'>.</p>",
    "handler, upper case": "<p ONLOAD=x()>.</p>",
    "input": "<input autofocus>",
}


@pytest.mark.parametrize("fault", ACTIVE_FAULTS)
def test_active_content(fault: str) -> None:
    assert "audit.active-content" in codes(good("html").changed("<header", f"{ACTIVE_FAULTS[fault]}<header").file_findings())


@pytest.mark.parametrize("href", ["javascript:x()", "jav&#x09;ascript:x()", " JavaScript:x()", "data:text/html,x", "vbscript:x"])
def test_a_link_that_runs_something(href: str) -> None:
    broken = good("html").changed("<header", f'<a href="{href}">x</a><header')
    assert codes(broken.file_findings()) == {"audit.link-scheme"}


def test_a_picture_that_is_not_in_the_bundle() -> None:
    page = good("html")
    found = codes(replace(page, files=page.files[:1]).file_findings())
    assert found == {"audit.resource-missing"}
    assert codes(replace(page, bundle=()).file_findings()) >= {"audit.resource-missing"}


@pytest.mark.parametrize("relation", ["license", "canonical", "alternate", "author", "next"])
def test_links_that_fetch_nothing_are_no_requests(relation: str) -> None:
    link = f'<link rel="{relation}" href="https://example.org/x">'
    found = codes(good("html").changed("</head>", f"{link}</head>").file_findings())
    assert found == ({"audit.metadata"} if relation == "license" else set())


# --- title, marks, language, metadata -----------------------------------------------------------

FRAME_FAULTS = {
    "title altered": ('<h1 class="syn-title">High', '<h1 class="syn-title">Low', "title"),
    "title hidden": ('<h1 class="syn-title">', '<h1 class="syn-title" hidden>', "title"),
    "mark lost": ("Review due: March 1, 2025", "Review due: March 1, 2026", "mark-missing"),
    "language": ('lang="en" dir', 'lang="es" dir', "language"),
    "language missing": ('lang="en" dir', "dir", "language"),
    "direction": ('dir="ltr"', 'dir="rtl"', "language"),
    "date in the data": ('"lastReviewed":"2023-03-01"', '"lastReviewed":"2024-03-01"', "metadata"),
    "edit date in the data": ('"dateModified":"2023-05-04"', '"dateModified":"2023-05-05"', "metadata"),
    "language in the data": ('"inLanguage":"en"', '"inLanguage":"es"', "language"),
    "holder in the data": ('{"@type":"Organization","name":"Example Health Press, Inc."}', '{"name":"Another"}', "metadata"),
    "notice in the data": ('"copyrightNotice":"© 1995-2023', '"copyrightNotice":"© 1995-2024', "metadata"),
    "reviewer in the data": ('"name":"Lee Okafor"', '"name":"Someone Else"', "metadata"),
    "author lost in the data": ('"name":"Ana Ruiz"', '"name":""', "metadata"),
    "license": ('rel="license" href="https://example.org/terms"', 'rel="license" href="https://example.net/"', "metadata"),
    "data that is no JSON": ('{"@context"', '{"@context', "unreadable"),
    "character set": ('charset="utf-8"', 'charset="iso-8859-1"', "markup"),
    "two full stops": ("<header", "<p>All rights reserved..</p><header", "full-stop"),
    "id of the body again": ("<header", '<header id="syn-blood-pressure--numbers"', "id-twice"),
    "link to nowhere": ("<header", '<a href="#nowhere">x</a><header', "link-broken"),
}


@pytest.mark.parametrize("fault", FRAME_FAULTS)
def test_what_stands_around_the_text(fault: str) -> None:
    old, new, code = FRAME_FAULTS[fault]
    assert f"audit.{code}" in codes(good("html").changed(old, new).file_findings())


def test_bytes_that_are_no_utf8() -> None:
    page = good("html")
    assert codes(page.with_main(page.files[0].data + b"\xff").file_findings()) == {"audit.unreadable"}


def test_a_media_type_that_is_not_the_formats() -> None:
    page = good("html")
    renamed = replace(page, files=(replace(page.files[0], media_type="text/plain"), *page.files[1:]))
    assert codes(renamed.file_findings()) == {"audit.unreadable"}


# --- the body's place in the page ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<!--", "-->"),
        ("<template>", "</template>"),
        ("<noscript>", "</noscript>"),
        ("<details><summary>More</summary>", "</details>"),
        ("<div hidden>", "</div>"),
        ('<div style="display:none">', "</div>"),
        ('<div style="height:3em;overflow:hidden">', "</div>"),
        ("<textarea>", "</textarea>"),
        ('<script type="application/ld+json">', "</script>"),
        ("<title>", "</title>"),
    ],
)
def test_a_body_that_stands_where_nobody_sees_it(before: str, after: str) -> None:
    page = good("html")
    content = page.body.content.decode()
    broken = page.with_main(swapped(page.files[0].data, content, f"{before}{content}{after}"))
    assert codes(broken.file_findings()) & {"audit.body-place", "audit.unreadable"}


def test_a_body_twice() -> None:
    page = good("html")
    content = page.body.content.decode()
    broken = page.with_main(swapped(page.files[0].data, content, content + content))
    assert "audit.body-place" in codes(broken.file_findings())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Sit for 5\u00a0minutes.", "Sit for 6\u00a0minutes.", "text-changed"),
        ("<li>Do not talk.</li>", "", "text-lost"),
        ("Start with 10\u00a0mg once a day.", "Start with 10\u00a0mcg once a day.", "text-changed"),
        ('<p class="syn-note__label">Emergency</p>', "", "warning-word"),
        ('href="https://example.org/bp?x=1&amp;y=2"', 'href="https://example.org/"', "link-lost"),
        ('alt="A cuff around an upper arm"', 'alt=""', "image-lost"),
        ("<p>Call 911", "<p hidden>Call 911", "text-lost"),
    ],
)
def test_a_body_that_a_template_has_rewritten_is_read_whole(old: str, new: str, code: str) -> None:
    assert f"audit.{code}" in codes(good("html").changed(old, new).file_findings())


def test_a_body_that_a_template_has_only_laid_out_anew() -> None:
    page = good("html")
    content = page.body.content.decode()
    again = content.replace("<p>", '<p class="syn-p">').replace("</li>", "</li>\n  ")
    assert page.with_main(swapped(page.files[0].data, content, again)).file_findings() == []


TEMPLATE_FAULTS = {
    "no legal block": ("{% if legal %}", "{% if false %}", "notice-missing"),
    "no credits": ("{% if credits %}", "{% if not credits %}", "notice-missing"),
    "legal block in details": ('<footer class="syn-footer">', '<footer class="syn-footer"><details>', "notice-hidden"),
    "upper case": (
        "{% for notice in legal %}\n{{ block(notice) -}}",
        "{% for notice in legal %}\n{{ block(notice)|upper -}}",
        "notice-missing",
    ),
    "own analytics": ("</head>", '<script src="https://stats.example.net/x.js"></script></head>', "outside-request"),
    "own sheet": ("</head>", "<style>.syn-notice{display:none}</style></head>", "notice-hidden"),
    "body cut": ("{{ body }}", "{{ body[:900]|safe }}</section></div>", "text-lost"),
    "body without warnings": ("{{ body }}", "{{ body|replace('Emergency', '')|safe }}", "warning-word"),
    "body as text": ("{{ body }}", "{{ body|forceescape }}", "text-lost"),
    "title of the site": ("{{ parts.heading(topic, edition.marks, t) -}}", "<h1>{{ site.name }}</h1>", "title"),
}


@pytest.mark.parametrize("fault", TEMPLATE_FAULTS)
def test_a_partners_own_template(fault: str, tmp_path: Path) -> None:
    old, new, code = TEMPLATE_FAULTS[fault]
    packaged = Path(__file__).parents[1] / "transforms" / "pages" / "html.html"
    (tmp_path / "html.html").write_bytes(swapped(packaged.read_bytes(), old, new))
    found = codes(rendering("html", site=replace(SITE, templates=str(tmp_path))).file_findings())
    assert f"audit.{code}" in found
