"""An S3 bucket (or a server that speaks S3) as a destination: `s3://bucket/prefix`.

In: keys and bytes. Out: objects, written with a SHA-256 that the server checks, conditionally where asked. Who we are comes from
boto3's standard chain (environment, profile, role), never from the settings file. Stores are plain picklable values: each
process makes its own client on first use, because clients must not be shared over a fork.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from outputs._limits import within
from outputs._paths import key_problem
from pipeline.contracts import Stored
from pipeline.errors import Forbidden, NotFound, PreconditionFailed, StoreError, UsageError

ATTEMPTS: Final = 5  # of one request, waiting longer each time
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
NOT_MODIFIED: Final = 304
ACCOUNT_DIGITS: Final = 12
SKEW_SECONDS: Final = 60  # more than that, and signatures and expiry dates become doubtful; at 900 AWS refuses
THREADS: Final = 16  # more only wait for each other: boto3 holds the interpreter's lock most of the time

_SETTINGS: Final = (
    *("endpoint_url", "region", "profile", "addressing_style"),
    *("role_arn", "external_id", "expected_bucket_owner", "kms_key", "acl"),
)
_ACLS: Final = ("private", "bucket-owner-full-control", "bucket-owner-read")
_TEXT: Final = frozenset({"application/json", "application/javascript", "application/xml"})
_T = TypeVar("_T")


def claims(url: str) -> bool:
    """Whether `url` starts with `s3://`."""
    return url.startswith("s3://")


def open(url: str, settings: Mapping[str, Any]) -> S3Store:  # noqa: A001 - the contract's name
    """The store at `s3://bucket/prefix`. Settings, all optional: `endpoint_url` (another server than AWS), `region`, `profile`
    (a name in ~/.aws/config), `addressing_style` ("path" or "virtual"). For another's bucket: `role_arn` (a role to assume) with
    its `external_id`, `expected_bucket_owner` (an account: any other's bucket is refused), `kms_key` (encrypts what is written),
    `acl` ("bucket-owner-full-control", ...). Raises UsageError for a bad address or setting."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    if not bucket or (prefix and key_problem(prefix)):
        raise UsageError(f"{url!r} is no S3 address", expected="s3://bucket or s3://bucket/prefix", fix="correct the address")
    for name, value in settings.items():
        _check_setting(name, value)
    chosen = {name: str(settings.get(name, "")) for name in _SETTINGS}
    return S3Store(url, bucket, f"{prefix}/" if prefix else "", Options(**chosen))


def _check_setting(name: str, value: object) -> None:
    if name not in _SETTINGS:
        near = difflib.get_close_matches(name, _SETTINGS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"the settings are {', '.join(_SETTINGS)}"
        if "key" in name or "secret" in name or "token" in name:
            hint = "keys belong into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or a profile, not into this file"
        raise UsageError(f"[s3] has no setting {name!r}", fix=hint)
    if not isinstance(value, str):
        raise UsageError(f"[s3] {name} is not a text", expected="a text in quotes", found=repr(value), fix="correct it")
    if name == "endpoint_url" and not value.startswith(("http://", "https://")):
        raise UsageError(
            f"[s3] endpoint_url is no address: {value!r}", expected="https://host or http://host:port", fix="correct it"
        )
    if name == "acl" and value not in _ACLS:
        raise UsageError(f"[s3] acl is {value!r}", expected=", ".join(_ACLS), fix="correct it")
    if name == "expected_bucket_owner" and not (len(value) == ACCOUNT_DIGITS and value.isdecimal()):
        raise UsageError(f"[s3] expected_bucket_owner is {value!r}", expected="an account of 12 digits", fix="correct it")
    if name == "addressing_style" and value not in ("path", "virtual", "auto"):
        raise UsageError(f"[s3] addressing_style is {value!r}", expected='"path", "virtual" or "auto"', fix="correct it")


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the server; see `open`."""

    endpoint_url: str = ""
    region: str = ""
    profile: str = ""
    addressing_style: str = ""
    role_arn: str = ""
    external_id: str = ""
    expected_bucket_owner: str = ""
    kms_key: str = ""
    acl: str = ""


@dataclass(frozen=True, slots=True)
class S3Store:
    """A store in a bucket below `prefix` ("" or ending in "/"); see contracts.Store. Tokens are ETags."""

    url: str
    bucket: str
    prefix: str
    options: Options

    parallel = THREADS

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        """See contracts.Store.get. A body that breaks off is asked for again, which boto3 itself does not do."""
        found = self._get(key, {}, limit)
        assert found is not None, "an unconditional read has an answer"
        return found

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        """See contracts.Store.get_changed."""
        return self._get(key, {"IfNoneMatch": token}, limit)

    def _get(self, key: str, condition: Mapping[str, str], limit: int | None) -> tuple[bytes, str] | None:
        what, name = f"reading {key!r}", self._key(key)
        for wait in (0.2, 1.0, None):
            try:
                answer = self._client().get_object(Key=name, **self._bucket, **condition)
            except _failures() as error:
                if condition and _status(error) == NOT_MODIFIED:
                    return None
                raise self._problem(what, error, no_object=NotFound) from error
            try:
                with closing(answer["Body"]) as body:
                    return _body(body, limit, f"{self.url}: {key!r}"), answer["ETag"]
            except _failures() as error:
                if wait is None:
                    raise self._problem(what, error) from error
            time.sleep(wait)
        raise AssertionError("unreachable")

    def put(
        self, key: str, data: bytes, *, media_type: str, cache_control: str = "", absent: bool = False, match: str = ""
    ) -> str:
        """See contracts.Store.put. Where the answer of a conditional write was lost, or a retry met our own first try, the object
        is read back: if it holds `data`, this write won."""
        client, request = self._client(), self._request(key, data, media_type, cache_control, absent=absent, match=match)
        for wait in (0.1, 0.3, 1.0, None):
            try:
                return str(client.put_object(**request)["ETag"])
            except _failures() as error:
                problem = self._problem(f"writing {key!r}", error, no_object=PreconditionFailed if match else StoreError)
                if (absent or match) and _may_be_ours(error) and (token := self._read_back(key, data)):
                    return token
                if wait is None or not _is_conflict(error):
                    raise problem from error
            time.sleep(wait)
        raise AssertionError("unreachable")

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """See contracts.Store.list: a thousand objects a request. Sorted here: not every server sorts by the whole key."""
        pages = iter(self._client().get_paginator("list_objects_v2").paginate(Prefix=self.prefix + prefix, **self._bucket))
        found: dict[str, Stored] = {}
        while page := self._ask(f"listing {prefix!r}", lambda: next(pages, None)):
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(self.prefix)
                found[key] = Stored(key, entry["Size"], entry["ETag"])
        for key in sorted(found):
            yield found[key]

    def delete(self, key: str) -> None:
        """See contracts.Store.delete."""
        name = self._key(key)
        with suppress(NotFound):  # some servers say so, AWS does not
            self._ask(f"deleting {key!r}", lambda: self._client().delete_object(Key=name, **self._bucket))

    def _client(self) -> Any:
        try:
            with _making:
                return _client(os.getpid(), self.options)
        except ValueError as error:  # an address that is none
            raise UsageError(f"{self.url}: {error}", fix="correct [s3] endpoint_url or AWS_ENDPOINT_URL") from error
        except _failures() as error:
            raise self._problem("connecting", error) from error

    def _key(self, key: str) -> str:
        if problem := key_problem(key):
            raise StoreError(f"{self.url}: {key!r} is not safe as a key: {problem}", fix="use a plain relative path")
        return self.prefix + key

    def _request(
        self, key: str, data: bytes, media_type: str, cache_control: str, *, absent: bool = False, match: str = ""
    ) -> dict[str, Any]:
        request: dict[str, Any] = {
            **self._bucket,
            "Key": self._key(key),
            "Body": data,
            "ContentType": _content_type(media_type),
            "ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
        }
        if cache_control:
            request["CacheControl"] = cache_control
        if absent:
            request["IfNoneMatch"] = "*"
        if match:
            request["IfMatch"] = match
        if self.options.kms_key:
            request |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.options.kms_key}
        if self.options.acl:
            request["ACL"] = self.options.acl
        return request

    @property
    def _bucket(self) -> dict[str, str]:
        """Which bucket, and whose it must be: a name that someone else got in the meantime is refused."""
        owner = self.options.expected_bucket_owner
        return {"Bucket": self.bucket, **({"ExpectedBucketOwner": owner} if owner else {})}

    def probes(self, key: str, clock: Callable[[], datetime]) -> Iterator[tuple[str, str, str]]:
        """What `doctor` tries beyond the contract: name, state and text of each check."""
        try:
            now = clock()
            facts = self._ask("looking", lambda: self._client().put_object(**self._request(key, b"1", "text/html", "no-cache")))
            head = self._ask("looking", lambda: self._client().head_object(Key=self._key(key), **self._bucket))
        except StoreError as problem:
            yield "the server's own checks", "failed", " ".join(str(problem).split())
            return
        yield self._checksum(key)
        kept = (head.get("ContentType"), head.get("CacheControl"))
        good = kept == ("text/html; charset=utf-8", "no-cache")
        yield "content type and cache control are kept", "ok" if good else "warning", " and ".join(map(str, kept))
        date = facts["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        yield _skew(date, now)

    def _checksum(self, key: str) -> tuple[str, str, str]:
        wrong = {**self._request(key, b"1", "text/plain", ""), "Body": b"2"}
        name = "a write with a wrong SHA-256 is refused"
        try:
            self._client().put_object(**wrong)
        except _failures() as error:
            return name, "ok", _code(error)
        return name, "warning", "it was taken: damage on the way is found by the reader alone"

    def _ask(self, what: str, request: Callable[[], _T]) -> _T:
        try:
            return request()
        except _failures() as error:
            raise self._problem(what, error, no_object=NotFound) from error

    def _read_back(self, key: str, data: bytes) -> str:
        """The token of the object where it holds `data`, else ""."""
        try:
            held, token = self.get(key)
        except StoreError:
            return ""
        return token if held == data else ""

    def _problem(self, what: str, error: Exception, no_object: type[StoreError] = StoreError) -> StoreError:
        """The error of ours that says what boto3's error means."""
        kind, expected, fix = _meaning(error, no_object)
        where = f" at {self.options.endpoint_url}" if self.options.endpoint_url else ""
        return kind(f"{self.url}: {what} failed", expected=expected, found=f"{_words(error)}{where}", fix=fix)


# --- making clients -------------------------------------------------------------------------------

_making = threading.Lock()  # or sixteen threads would each make the first client


def _unlock() -> None:
    global _making
    _making = threading.Lock()


os.register_at_fork(after_in_child=_unlock)  # another thread may hold it at that moment


@lru_cache
def _client(process: int, options: Options) -> Any:
    """The client of this process. `process` is in the cache's key: a forked child makes its own."""
    import boto3  # type: ignore[import-untyped]  # here, because it takes 0.2 s and most commands need no S3
    from botocore.config import Config  # type: ignore[import-untyped]

    del process
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=THREADS,
        tcp_keepalive=True,
        request_checksum_calculation="when_required",  # SHA-256 is set on each write; other servers refuse the default's trailer
        response_checksum_validation="when_required",
        s3={"addressing_style": options.addressing_style or ("path" if options.endpoint_url else "auto")},
        # What boto3 does anew for each request: a tenth of a PUT's processor time. Requests are made here alone, and are right.
        user_agent="topic-syndication",
        parameter_validation=False,
    )
    session = boto3.session.Session(profile_name=options.profile or None, region_name=options.region or None)
    if options.role_arn:
        session = _assumed(session, options)
    region = session.region_name or ("us-east-1" if options.endpoint_url else None)
    return session.client("s3", region_name=region, endpoint_url=options.endpoint_url or None, config=config)


def _assumed(session: Any, options: Options) -> Any:
    """The session in the role that a partner gave us; its keys are renewed before they end."""
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials  # type: ignore[import-untyped]
    from botocore.session import get_session  # type: ignore[import-untyped]

    core = session._session
    external = {"ExternalId": options.external_id} if options.external_id else {}
    fetcher = AssumeRoleCredentialFetcher(
        core.create_client, core.get_credentials(), options.role_arn, extra_args={"RoleSessionName": "syndication", **external}
    )
    inner = get_session()
    inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return boto3.session.Session(botocore_session=inner, region_name=session.region_name)


def _skew(date: str, now: datetime) -> tuple[str, str, str]:
    name = "clocks agree"
    try:
        seconds = round(abs((parsedate_to_datetime(date) - now).total_seconds()))
    except (TypeError, ValueError):
        return name, "warning", "the server does not tell its time"
    if seconds <= SKEW_SECONDS:
        return name, "ok", f"{seconds} s apart"
    return name, "failed", f"{seconds} s apart: set this machine's clock, or the server's"


def _content_type(media_type: str) -> str:
    text = media_type.startswith("text/") or media_type in _TEXT or media_type.endswith(("+json", "+xml"))
    return f"{media_type}; charset=utf-8" if text else media_type


# --- errors in plain words ------------------------------------------------------------------------

_KEYS: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or [s3] profile, to keys that are valid for this server"
)
_REACH: Final = (
    "look whether the server runs, [s3] endpoint_url is right and the network (proxy, firewall) lets it through; then run again"
)
_REGION: Final = "set [s3] region to the bucket's region"
_LATER: Final = "run again later: nothing that was finished is lost"

# code of an answer, or name of boto3's exception -> what to do
_FIXES: Final[Mapping[str, str]] = {
    "NoSuchBucket": "make the bucket, or correct its name in the address",
    "AccessDenied": "give these keys the right to read, write and list below this address",
    "403": "give these keys the right to read, write and list below this address",
    "AllAccessDisabled": "ask the bucket's owner",
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "ExpiredToken": "the session has ended: sign in again",
    "RequestTimeTooSkewed": "set this machine's clock",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "NoRegionError": _REGION,
    "BadDigest": "the data was altered on its way: look at proxies and network cards, then run again",
    "InvalidDigest": "the data was altered on its way: look at proxies and network cards, then run again",
    "XAmzContentSHA256Mismatch": "the data was altered on its way: look at proxies and network cards, then run again",
    "NotImplemented": "use a server with conditional writes and SHA-256 checksums: releases are not safe without",
    "QuotaExceeded": "raise the bucket's quota, then run again",
    "SlowDown": _LATER,
    "ServiceUnavailable": _LATER,
    "InternalError": _LATER,
    "EndpointConnectionError": _REACH,
    "ConnectTimeoutError": _REACH,
    "ReadTimeoutError": _REACH,
    "ConnectionClosedError": _REACH,
    "ResponseStreamingError": _REACH,
    "IncompleteReadError": _REACH,
    "ProxyConnectionError": "correct HTTPS_PROXY, or except the server in NO_PROXY",
    "SSLError": "trust the server's certificate: set AWS_CA_BUNDLE to your own authority's file",
    "NoCredentialsError": _KEYS,
    "PartialCredentialsError": _KEYS,
    "CredentialRetrievalError": _KEYS,
    "ProfileNotFound": "correct [s3] profile or AWS_PROFILE, or add it to ~/.aws/config",
    "ParamValidationError": "correct the bucket's name in the address",
    "InvalidBucketName": "correct the bucket's name in the address",
}


def _body(body: Any, limit: int | None, what: str) -> bytes:
    """All of a body; of those bytes beyond `limit` the first alone, which raises Altered."""
    if limit is None:
        return bytes(body.read())
    parts, left = [], limit + 1
    while left and (part := body.read(left)):
        parts.append(part)
        left -= len(part)
    return within(b"".join(parts), limit, what)


def _failures() -> tuple[type[Exception], ...]:
    """What boto3 raises when a request fails; all else is a mistake of ours and goes on as it is."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    return BotoCoreError, ClientError


def _meaning(error: Exception, no_object: type[StoreError]) -> tuple[type[StoreError], str, str]:
    """The class of our error, what was expected, and what to do."""
    code = _code(error)
    if code in ("NoSuchKey", "404"):
        return no_object, "", ""
    if code in ("AccessDenied", "403", "AllAccessDisabled"):
        return Forbidden, "", _FIXES[code]
    if code == "PreconditionFailed" or _is_conflict(error):
        return PreconditionFailed, "the object as it was read before", ""
    return StoreError, "", _FIXES.get(code) or "look at the server, then run again"


def _answer(error: Exception) -> Mapping[str, Any]:
    found = getattr(error, "response", None)
    return found if isinstance(found, dict) else {}


def _code(error: Exception) -> str:
    return str(_answer(error).get("Error", {}).get("Code", "")) or type(error).__name__


def _status(error: Exception) -> int:
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _words(error: Exception) -> str:
    said = _answer(error).get("Error", {}).get("Message", "") or str(error)
    return f"{_code(error)}: {said}"


def _is_conflict(error: Exception) -> bool:
    """Whether two writes met (AWS answers 409): neither lost yet."""
    return _status(error) == 409


def _may_be_ours(error: Exception) -> bool:
    """Whether a write that failed may yet be done: no answer came, the server failed, or an earlier try went before."""
    facts = _answer(error).get("ResponseMetadata", {})
    status = facts.get("HTTPStatusCode", 0)
    return bool(not facts or status >= 500 or status == 409 or facts.get("RetryAttempts", 0) > 0)
