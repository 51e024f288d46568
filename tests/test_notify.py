"""Messages about runs, against real servers on this machine: signed, tried again, bounded, and never the end of a run."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from mailbox import certificate, hook, post
from pathlib import Path
from typing import Any

import pytest
from test_run import ROOT, command, edit, run

from outputs.stores import folder
from pipeline import notify, outbox, records, starter
from pipeline.notify import Limits, Mail, Webhook, send
from pipeline.settings import Email

MOMENT = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
SHARED = "agreed with the receiver"
QUICK = Limits(tries=3, pause=0.02, timeout=0.5, deadline=5)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    starter.write(tmp_path / "project")
    return tmp_path / "project"


def message(url: str, secret: str = "", **more: Any) -> Webhook:
    return Webhook("webhook", url, "20261125T020000.000000Z.ended", MOMENT, {"type": "run.ended", "text": "é"}, secret, **more)


# --- webhooks -------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks specification, worked out by hand."""
    secret = "whsec_" + base64.b64encode(b"a key of 24 bytes or more").decode()
    expected = hmac.new(b"a key of 24 bytes or more", b'msg_1.1674087231.{"a":1}', hashlib.sha256).digest()
    assert notify.signature(secret, "msg_1", 1674087231, b'{"a":1}') == "v1," + base64.b64encode(expected).decode()


def test_a_webhook_arrives_once_and_signed() -> None:
    with hook() as server:
        (delivery,) = send([message(server.url, "not base64")], QUICK)
    ((headers, body),) = server.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"not base64", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(MOMENT.timestamp()))
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["text"] == "é"
    assert (delivery.delivered, delivery.tries, delivery.error) == (True, 1, "")
    assert "token" not in delivery.address, "paths of addresses are often secret"


def test_without_a_secret_it_is_not_signed() -> None:
    with hook() as server:
        send([message(server.url)], QUICK)
    assert "webhook-signature" not in server.requests[0][0]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_webhook_is_tried_again_with_the_same_id(status: int) -> None:
    with hook(status, status) as server:
        (delivery,) = send([message(server.url)], QUICK)
    assert (delivery.delivered, delivery.tries) == (True, 3)
    assert len({headers["webhook-id"] for headers, _ in server.requests}) == 1


def test_tries_are_bounded() -> None:
    with hook(*[500] * 20) as server:
        (delivery,) = send([message(server.url)], QUICK)
    assert (delivery.delivered, len(server.requests)) == (False, 3)
    assert "500" in delivery.error


@pytest.mark.parametrize(("status", "words"), [(404, "404"), (302, "302")])
def test_what_will_not_change_is_not_tried_again(status: int, words: str) -> None:
    """A redirect too: what was signed for one address goes to no other."""
    with hook(status) as server:
        (delivery,) = send([message(server.url)], QUICK)
    assert (delivery.delivered, len(server.requests)) == (False, 1)
    assert words in delivery.error


def test_nobody_there() -> None:
    with hook() as server:
        url = server.url
    (delivery,) = send([message(url)], QUICK)
    assert not delivery.delivered
    assert "refused" in delivery.error
    assert "token" not in delivery.error


def test_a_server_that_never_answers_keeps_nobody() -> None:
    """Several at once take no longer than one."""
    with hook(*[-2.0] * 4) as server:
        start = time.monotonic()
        found = send([message(server.url)] * 4, Limits(tries=1, timeout=30, deadline=0.3))
        assert time.monotonic() - start < 2
    assert [(one.delivered, one.error) for one in found] == [(False, "no answer in 0.3 seconds")] * 4


def test_a_secret_that_can_not_be_one_is_said_to_be_so() -> None:
    with hook() as server:
        (delivery,) = send([message(server.url, "whsec_%%%")], QUICK)
    assert not server.requests
    assert "no base64" in delivery.error


# --- e-mail ---------------------------------------------------------------------------------------


def mail(port: int, **settings: Any) -> Mail:
    values = {"to": ["ops@example.org"], "sender": "pipeline@example.org", "server": "127.0.0.1", "port": port} | settings
    subject = "Example: Done\r\nBcc: everyone@example.org"
    return Mail(Email(**{"security": "none", **values}), "20261125.ended", MOMENT, subject, "What happened: é")


def test_an_email_arrives() -> None:
    with post() as server:
        (delivery,) = send([mail(server.port)], QUICK)
    assert delivery.delivered, delivery.error
    ((sender, to, text),) = server.letters
    assert "pipeline@example.org" in sender
    assert to == ["TO:<ops@example.org>"]
    assert "Auto-Submitted: auto-generated" in text
    assert "\r\nBcc:" not in text, "a line end in a name must not become a header"


def test_an_email_is_tried_again_while_the_server_is_busy() -> None:
    with post(450, 451) as server:
        (delivery,) = send([mail(server.port)], QUICK)
    assert (delivery.delivered, delivery.tries, len(server.letters)) == (True, 3, 1)


def test_a_final_no_is_not_asked_again() -> None:
    with post() as server:
        server.refuse = "ops@"
        (delivery,) = send([mail(server.port)], QUICK)
    assert (delivery.delivered, delivery.tries) == (False, 1)
    assert "550" in delivery.error


def test_one_refused_address_among_others_is_named() -> None:
    with post() as server:
        server.refuse = "gone@"
        (delivery,) = send([mail(server.port, to=["ops@example.org", "gone@example.org"])], QUICK)
    assert len(server.letters) == 1
    assert not delivery.delivered
    assert delivery.error == "gone@example.org: 550 no such user"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_email_goes_encrypted_and_logs_in(security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SYNDICATION_SMTP_PASSWORD", "right")
    with post(certificate=path, at_once=security == "tls") as server:
        (delivery,) = send([mail(server.port, security=security, user="pipeline")], QUICK)
    assert delivery.delivered, delivery.error
    assert (server.encrypted, server.logins) == ([True], [("pipeline", "right")])


def test_a_certificate_that_nobody_vouches_for_gets_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNDICATION_SMTP_PASSWORD", "right")
    with post(certificate=certificate(tmp_path)) as server:
        (delivery,) = send([mail(server.port, security="starttls", user="pipeline")], QUICK)
    assert (delivery.delivered, delivery.tries, server.logins) == (False, 1, [])
    assert "certificate" in delivery.error


# --- whole runs -----------------------------------------------------------------------------------


def test_a_run_that_did_not_end_well_tells_operators_and_one_that_did_tells_nobody(project: Path) -> None:
    with hook() as server, post() as letters:
        with (project / "syndication.toml").open("a") as file:
            file.write(f'\n[notify]\nwebhook = "{server.url}"\n[notify.email]\nto = ["ops@example.org"]\n')
            file.write(f'sender = "p@example.org"\nserver = "127.0.0.1"\nport = {letters.port}\nsecurity = "none"\n')
        run(project)
        assert (server.requests, letters.letters) == ([], [])
        (project / "topics/measure-a-pulse.dita").write_text("<task id='x'><title>Measure</task>")
        run(project, code=1, SYNDICATION_WEBHOOK_SECRET=SHARED)
    ((headers, body),) = server.requests
    told = json.loads(body)
    assert headers["webhook-signature"].startswith("v1,")
    assert (told["type"], told["data"]["exit_code"]) == ("run.ended", 1)
    assert Path(told["data"]["report"]).exists()
    assert "held back" in told["text"]
    ((_, _, text),) = letters.letters
    assert "measure-a-pulse" in text
    shown = command("runs", "show", "-c", str(project / "syndication.toml"))
    assert "told webhook" in shown.stdout
    assert "told email" in shown.stdout


def test_settings_that_keep_a_run_from_beginning_are_told_too(project: Path) -> None:
    with hook() as server:
        with (project / "syndication.toml").open("a") as file:
            file.write(f'\n[notify]\nwebhook = "{server.url}"\n')
        edit(project / "partners/first-partner.toml", "name = ", "nmae = ")
        done = command("run", "-c", str(project / "syndication.toml"))
    assert done.returncode == 2
    ((_, body),) = server.requests
    told = json.loads(body)["data"]
    assert told["exit_code"] == 2
    assert "did you mean 'name'" in told["error"]


def test_a_partner_is_told_of_each_release_and_of_nothing_else(project: Path) -> None:
    with hook() as server:
        partner = project / "partners/first-partner.toml"
        partner.write_text(partner.read_text() + f'\n[webhook]\nurl = "{server.url}"\nsecret_env = "HOOK_SECRET"\n')
        run(project, HOOK_SECRET=SHARED)
        run(project, HOOK_SECRET=SHARED)
    ((headers, body),) = server.requests
    assert headers["webhook-id"] == "first-partner.1"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.new(SHARED.encode(), signed, "sha256").digest()).decode()
    told = json.loads(body)
    assert (told["type"], told["data"]["sequence"], told["data"]["counts"]["added"]) == ("release.published", 1, 2)


def test_a_partner_is_told_of_a_withdrawal_and_by_when_to_act(project: Path) -> None:
    with hook() as server:
        partner = project / "partners/first-partner.toml"
        partner.write_text(partner.read_text() + f'\n[webhook]\nurl = "{server.url}"\nsecret_env = "HOOK_SECRET"\n')
        run(project, HOOK_SECRET=SHARED)
        words = ("--reason", "safety", "--severity", "immediate", "--action", "recall", "--act-by", "2026-12-31", "--by", "Ana")
        config = str(project / "syndication.toml")
        done = command("withdraw", "drinking-water", *words, "-c", config, HOOK_SECRET=SHARED)
    assert done.returncode == 0, done.stderr
    told = [json.loads(body) for _, body in server.requests]
    assert [one["type"] for one in told] == ["release.published", "topics.withdrawn"]
    decision = told[1]["data"]["decision"]
    assert (decision["severity"], decision["topics"]) == ("immediate", ["drinking-water"])
    assert decision["act_by"].startswith("2026-12-31")
    assert told[1]["data"]["withdrawn"] == ["drinking-water en"]


def test_a_partner_without_secret_or_server_does_not_hold_up_the_release(project: Path) -> None:
    partner = project / "partners/first-partner.toml"
    partner.write_text(partner.read_text() + '\n[webhook]\nurl = "https://127.0.0.1:1/x"\nsecret_env = "HOOK_SECRET"\n')
    done = command("run", "-c", str(project / "syndication.toml"), "--as-of", "2026-06-01", cwd=ROOT)
    assert done.returncode == 0
    assert "environment variable HOOK_SECRET is not set" in done.stderr


def _told(project: Path, url: str) -> Path:
    partner = project / "partners/first-partner.toml"
    partner.write_text(partner.read_text() + f'\n[webhook]\nurl = "{url}"\nsecret_env = "HOOK_SECRET"\n')
    return project


def test_what_did_not_arrive_is_sent_by_the_next_run(project: Path) -> None:
    with hook(*[500] * 4) as server:
        _told(project, server.url)
        first = run(project, HOOK_SECRET=SHARED)
        assert len(server.requests) == 4
        for _ in range(2):
            again = run(project, HOOK_SECRET=SHARED)
    assert [site["state"] for site in (*first["sites"], *again["sites"])] == ["published", "unchanged"]
    assert len(server.requests) == 5
    assert {headers["webhook-id"] for headers, _ in server.requests} == {"first-partner.1"}
    assert len({body for _, body in server.requests}) == 1, "the event is the same one"


def test_a_withdrawal_that_did_not_arrive_is_sent_by_the_next_run(project: Path) -> None:
    config = str(project / "syndication.toml")
    words = ("--reason", "safety", "--severity", "immediate", "--action", "recall", "--act-by", "2026-12-31", "--by", "Ana")
    with hook(204, *[503] * 4) as server:
        _told(project, server.url)
        run(project, HOOK_SECRET=SHARED)
        done = command("withdraw", "drinking-water", *words, "-c", config, HOOK_SECRET=SHARED)
        assert "the next run tries again" in done.stderr
        run(project, "--due", HOOK_SECRET=SHARED)
        run(project, HOOK_SECRET=SHARED)
    told = [json.loads(body) for _, body in server.requests]
    assert [one["type"] for one in told] == ["release.published", *["topics.withdrawn"] * 5]
    assert told[-1]["data"]["decision"]["act_by"].startswith("2026-12-31")


def test_who_died_before_telling_is_followed_by_who_tells(project: Path) -> None:
    """A run and a withdrawal that were killed right after their releases: seen as ones that had nobody to tell."""
    config = str(project / "syndication.toml")
    words = ("--reason", "safety", "--severity", "immediate", "--action", "recall", "--act-by", "2026-12-31", "--by", "Ana")
    run(project)
    assert command("withdraw", "drinking-water", *words, "-c", config).returncode == 0
    with hook() as server:
        _told(project, server.url)
        run(project, HOOK_SECRET=SHARED)
        run(project, HOOK_SECRET=SHARED)
    ((headers, body),) = server.requests
    told = json.loads(body)
    assert (headers["webhook-id"], told["type"]) == ("first-partner.2", "topics.withdrawn")
    assert told["data"]["decision"]["topics"] == ["drinking-water"]


def test_a_message_waits_for_its_secret(project: Path) -> None:
    with hook() as server:
        _told(project, server.url)
        run(project)
        assert not server.requests
        run(project, HOOK_SECRET=SHARED)
    assert [headers["webhook-id"] for headers, _ in server.requests] == ["first-partner.1"]


def test_a_server_that_is_gone_keeps_runs_waiting_less_and_less() -> None:
    waiting, now = outbox.Waiting("s.1", "release.published", {}, "2026-11-25T02:00:00+00:00"), MOMENT
    pauses = []
    for _ in range(12):
        waiting = outbox._later(waiting, now)
        pauses.append((datetime.fromisoformat(waiting.after) - now).total_seconds() / 60 if waiting.after else 0)
    assert pauses[:5] == [0, 15, 30, 60, 120]
    assert pauses[-1] == 24 * 60


def test_two_who_write_one_book_lose_nothing(tmp_path: Path) -> None:
    """A run and a withdrawal at one moment: each adds its message on top of the other's."""
    store = folder.open(str(tmp_path / "store"), {})
    decided = {"decision": {"number": 3}}

    def added(number: int, book: outbox.Book) -> outbox.Book:
        new = outbox.Waiting(f"s.{number}", "topics.withdrawn", decided, "2026-11-25T02:00:00+00:00")
        return outbox._with(book, new, number)

    meanwhile = [2]

    def change(book: outbox.Book) -> outbox.Book:
        if meanwhile:
            number = meanwhile.pop()
            outbox._update(store, "s", lambda other: added(number, other))
        return added(3, book)

    found = outbox._update(store, "s", change)
    assert ([each.id for each in found.waiting], found.release, found.decision) == (["s.2", "s.3"], 3, 3)
    store.put("told/s.json", b"no json", media_type="text/plain")
    assert outbox._update(store, "s", lambda book: book) == outbox.Book()


def test_old_records_go_and_the_latest_stay(tmp_path: Path) -> None:
    store = folder.open(str(tmp_path / "store"), {})
    days = [MOMENT - timedelta(days=number) for number in range(0, 800, 20)]
    for day in days:
        record = records.Record(f"{day:%Y%m%dT%H%M%S}.000000Z", "run", "all", day.isoformat())
        keeper = records.Keeper(store, tmp_path / "beside")
        keeper.begin(record)
        keeper.finish(record, "<html></html>")
    before = (MOMENT - timedelta(days=400)).date()
    assert records.prune(store, before, dry_run=True) == 19
    assert len(records.names(store)) == 40
    assert records.prune(store, before) == 19
    assert len(list(store.list("runs/"))) == 2 * 21
    assert min(records.names(store))[:8] == f"{before:%Y%m%d}"
    assert records.prune(store, MOMENT.date() + timedelta(days=1)) == 11
    assert records.names(store) == [f"{day:%Y%m%dT%H%M%S}.000000Z" for day in days[: records.LATEST]]
