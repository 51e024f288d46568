"""Carries messages: signed webhooks and e-mail, each tried again a few times, all of them within a bounded time.

In: what to send and where; the moment as a value; secrets from the environment. Out: a `Delivery` for each, never an exception:
a run is not undone because somebody could not be told of it. Webhooks follow the Standard Webhooks specification 1.0: headers
`webhook-id`, `webhook-timestamp`, `webhook-signature` (`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import smtplib
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import urlsplit

from pipeline.records import Delivery
from pipeline.settings import Email

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how the specification marks a secret that is written as base64
_AGAIN: Final = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to go on. `deadline` is for all messages of a run together, whatever the other side does; seconds."""

    tries: int = 4
    pause: float = 1.0  # before the third try; twice as long before each further one
    timeout: float = 10.0
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """A POST: `to` says whom it tells (`webhook`, `partner <id>`); `secret` "" = not signed. `id` names the event, so that a
    receiver can tell a second delivery from a second event."""

    to: str
    url: str
    id: str
    moment: datetime
    body: Mapping[str, Any]
    secret: str = ""
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail: where it goes is in `settings`."""

    settings: Email
    id: str
    moment: datetime
    subject: str
    text: str


def send(messages: Sequence[Webhook | Mail], limits: Limits | None = None) -> list[Delivery]:
    """Sends all of them at once and waits until each has arrived or failed, `deadline` seconds at most."""
    limits = limits or Limits()
    results = [Delivery(_to(m), _address(m), False, 0, f"no answer in {limits.deadline:g} seconds") for m in messages]
    threads = [_started(message, results, number, limits) for number, message in enumerate(messages)]
    end = time.monotonic() + limits.deadline
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return list(results)


def _started(message: Webhook | Mail, results: list[Delivery], number: int, limits: Limits) -> threading.Thread:
    def work() -> None:
        try:
            results[number] = _post(message, limits) if isinstance(message, Webhook) else _mail(message, limits)
        except Exception as problem:  # whatever an address or a server brings up, the run goes on
            results[number] = Delivery(_to(message), _address(message), False, 1, f"{type(problem).__name__}: {problem}")

    thread = threading.Thread(target=work, daemon=True)  # one that hangs must not keep the program
    thread.start()
    return thread


def _to(message: Webhook | Mail) -> str:
    return message.to if isinstance(message, Webhook) else "email"


def _address(message: Webhook | Mail) -> str:
    """Where it goes, without what may be secret: user names, passwords, paths and queries of addresses often are."""
    if isinstance(message, Mail):
        return ", ".join(message.settings.to)
    parts = urlsplit(message.url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}/..."


# --- webhooks -------------------------------------------------------------------------------------


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`. A secret that starts with `whsec_` is base64 after that; any other is taken as it is."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"the secret starts with {SECRET_PREFIX} but is no base64 after it") from None
    return secret.encode()


def _post(message: Webhook, limits: Limits) -> Delivery:
    import urllib3

    body = json.dumps(message.body, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = int(message.moment.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "topic-syndication",
        "webhook-id": message.id,
        "webhook-timestamp": str(stamp),
    }
    if message.secret:
        headers["webhook-signature"] = signature(message.secret, message.id, stamp, body)
    again = urllib3.Retry(
        total=limits.tries - 1,
        redirect=False,  # what is signed for one address goes to no other
        status_forcelist=_AGAIN,
        allowed_methods=None,  # POST too: the id tells a receiver what it has already
        backoff_factor=limits.pause / 2,
        respect_retry_after_header=False,  # a receiver must not keep a run waiting
        raise_on_status=False,
    )
    try:
        with _pool(message.url, limits) as pool:
            answer = pool.request("POST", message.url, body=body, headers=headers, retries=again, preload_content=False)
            answer.close()  # what it says beyond its status is nobody's business, and may never end
    except urllib3.exceptions.HTTPError as problem:
        reason = getattr(problem, "reason", None) or problem
        return Delivery(
            message.to, _address(message), False, limits.tries, f"{type(reason).__name__}: {reason}", message.sequence
        )
    tries = 1 + len(answer.retries.history) if answer.retries else 1
    good = 200 <= answer.status < 300
    error = "" if good else f"the server answered {answer.status} {answer.reason or ''}".strip()
    return Delivery(message.to, _address(message), good, tries, error, message.sequence)


def _pool(url: str, limits: Limits) -> Any:
    """Connections, through the proxy that the environment names for this address."""
    import urllib3

    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, timeout=limits.timeout)
    return urllib3.PoolManager(timeout=limits.timeout)


# --- e-mail ---------------------------------------------------------------------------------------


def _mail(message: Mail, limits: Limits) -> Delivery:
    error = ""
    for attempt in range(1, limits.tries + 1):
        if attempt > 1:
            time.sleep(limits.pause * 2 ** (attempt - 2))
        try:
            refused = _handed_over(message, limits)
        except (OSError, smtplib.SMTPException) as problem:
            error = f"{type(problem).__name__}: {problem}"
            if _final(problem):
                break
        else:
            error = "; ".join(f"{address}: {_words(answer)}" for address, answer in refused.items())
            return Delivery("email", ", ".join(message.settings.to), not refused, attempt, error)
    return Delivery("email", ", ".join(message.settings.to), False, attempt, error)


def _final(problem: Exception) -> bool:
    """Whether a further try would end the same: the server said no for good (RFC 5321: 5xx), or its certificate is no good."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in problem.recipients.values())
    if isinstance(problem, smtplib.SMTPResponseException):
        return problem.smtp_code >= 500
    return isinstance(problem, ssl.SSLCertVerificationError | smtplib.SMTPNotSupportedError)


def _words(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {answer[1].decode(errors='replace')}"


def _handed_over(message: Mail, limits: Limits) -> Mapping[str, tuple[int, bytes]]:
    settings = message.settings
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = settings.sender, ", ".join(settings.to), " ".join(message.subject.split())
    letter["Date"] = message.moment
    letter["Message-ID"] = f"<{message.id}@{settings.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: absence notes are not answered to us
    letter.set_content(message.text)
    context = ssl.create_default_context()
    connect: Callable[..., smtplib.SMTP] = smtplib.SMTP
    options: dict[str, Any] = {"timeout": limits.timeout}
    if settings.security == "tls":
        connect, options = smtplib.SMTP_SSL, options | {"context": context}
    with connect(settings.server, settings.port, **options) as server:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user:
            server.login(settings.user, os.environ.get(settings.password_env, ""))
        return server.send_message(letter)
