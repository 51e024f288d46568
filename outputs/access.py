"""Who may do what in the store, as policies: a partner reads its own prefix, lists nothing, and writes acknowledgements alone.

In: the store's address, a site's prefix. Out: JSON documents for AWS (IAM policy, bucket policy) and SeaweedFS (identity).
"""

from __future__ import annotations

from typing import Any, Final

from pipeline.errors import UsageError

KINDS: Final = ("iam", "bucket", "seaweedfs")
_VERSION: Final = "2012-10-17"  # of the policy language


def place(url: str, prefix: str) -> tuple[str, str]:
    """Bucket and key prefix of a site in a store. Raises UsageError where the store is no bucket."""
    if not url.startswith("s3://"):
        raise UsageError(
            f"{url} is no bucket", expected="s3://bucket or s3://bucket/prefix", fix="give rights in a folder by the file system"
        )
    bucket, _, inside = url.removeprefix("s3://").partition("/")
    return bucket, f"{inside.strip('/')}/{prefix}".lstrip("/")


def policy(kind: str, url: str, prefix: str, *, name: str = "", principal: str = "", kms_key: str = "") -> dict[str, Any]:
    """The least policy of a kind ("iam", "bucket", "seaweedfs") for the partner of a site. `principal` is the partner's ARN,
    which a bucket policy needs; `kms_key` the ARN of the key that the bucket is encrypted with. Raises UsageError."""
    bucket, home = place(url, prefix)
    if kind == "seaweedfs":
        actions = [f"Read:{bucket}/{home}/*", f"Write:{bucket}/{home}/ack/*"]
        keys = [{"accessKey": f"CHOOSE-{name}", "secretKey": "CHOOSE-A-SECRET"}]
        return {"name": name, "credentials": keys, "actions": actions}
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of policy", expected=", ".join(KINDS), fix="use one of those")
    if kind == "bucket" and not principal:
        expected = "--principal arn:aws:iam::..."
        raise UsageError("a bucket policy needs whom it is for", expected=expected, fix="ask the partner for it")
    whom, arn = principal if kind == "bucket" else "", f"arn:aws:s3:::{bucket}/{home}"
    statements = [
        _statement("ReadOwnReleases", ["s3:GetObject"], f"{arn}/*", whom),
        _statement("WriteAcknowledgements", ["s3:PutObject"], f"{arn}/ack/*", whom),
    ]
    if kms_key and kind == "iam":
        statements.append(_statement("UseTheKey", ["kms:Decrypt", "kms:GenerateDataKey"], kms_key, ""))
    return {"Version": _VERSION, "Statement": statements}


def _statement(sid: str, actions: list[str], resource: str, principal: str) -> dict[str, Any]:
    whom = {"Principal": {"AWS": principal}} if principal else {}
    return {"Sid": sid, "Effect": "Allow", **whom, "Action": actions, "Resource": [resource]}
