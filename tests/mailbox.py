"""Servers that take messages: a web server for webhooks and an SMTP server (RFC 5321, STARTTLS, AUTH PLAIN), on this machine.

In: how to answer. Out: what arrived. Each is stopped when its `with` ends.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Hook:
    """A web server. `answers` are the status codes of the next requests, then 204; a negative one hangs for that many seconds."""

    url: str = ""
    answers: list[float] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def hook(*answers: float) -> Iterator[Hook]:
    """A web server that takes every POST."""
    state = Hook(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = state.answers.pop(0) if state.answers else 204
            if answer < 0:
                time.sleep(-answer)
                answer = 204
            self.send_response(int(answer))
            if int(answer) in (301, 302, 307, 308):
                self.send_header("Location", state.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hook/token"
    with _serving(server):
        yield state


@dataclass
class Post:
    """An SMTP server. `answers` are replies to the next DATA (450 and 5xx refuse); `letters` are (from, to, text)."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    refuse: str = ""  # a recipient that is refused for good
    letters: list[tuple[str, list[str], str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


@contextmanager
def post(*answers: int, certificate: Path | None = None, at_once: bool = False) -> Iterator[Post]:
    """An SMTP server. With a certificate it offers STARTTLS, or speaks TLS from the start (`at_once`)."""
    state = Post(answers=list(answers))
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError, EOFError):  # the client went away, or did not like our certificate
                _talk(self.request, state, context, at_once)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    with _serving(server):
        yield state


@contextmanager
def _serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _talk(connection: Any, state: Post, context: ssl.SSLContext | None, at_once: bool) -> None:
    if at_once and context:
        connection = context.wrap_socket(connection, server_side=True)
    secure = at_once
    with ExitStack() as closing:
        closing.enter_context(connection)
        lines = connection.makefile("rwb", buffering=0)
        sender, to = "", list[str]()

        def say(*words: str) -> None:
            lines.write("".join(f"{word}\r\n" for word in words).encode())

        say("220 test")
        while line := lines.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            if verb == "EHLO":
                say("250-test", *(["250-STARTTLS"] if context and not secure else []), "250 AUTH PLAIN")
            elif verb == "STARTTLS" and context:
                say("220 go ahead")
                connection = closing.enter_context(context.wrap_socket(connection, server_side=True))
                lines, secure = connection.makefile("rwb", buffering=0), True
            elif verb == "AUTH":
                _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                state.logins.append((user, password))
                say("235 welcome" if password == "right" else "535 no")  # noqa: S105
            elif verb == "MAIL":
                sender, to = rest, []
                say("250 ok")
            elif verb == "RCPT":
                refused = bool(state.refuse) and state.refuse in rest
                to += [] if refused else [rest]
                say("550 no such user" if refused else "250 ok")
            elif verb == "DATA":
                answer = state.answers.pop(0) if state.answers else 354
                if answer != 354:
                    say(f"{answer} not now")
                    continue
                say("354 go on")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += lines.readline()
                state.letters.append((sender, to, text.decode()))
                state.encrypted.append(secure)
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok" if verb in ("RSET", "NOOP") else "502 what?")


def certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path
