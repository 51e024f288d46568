"""Whom a run tells, and how: `[notify]` of syndication.toml and `[webhook]` of a partner's file. In: TOML values. Out: `Notify`,
`Email`, `Webhook`. Secrets are never settings: a setting names the environment variable that holds one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.settings.fields import Model, Text, WebAddress

Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
Address = Annotated[str, Field(pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")]
ExitCode = Annotated[int, Field(ge=0, le=7)]


class Email(Model):
    """An e-mail about each run that ends with one of the exit codes."""

    to: list[Address] = Field(min_length=1, description="Who gets it.")
    sender: Address = Field(description="Whom it comes from.")
    server: Text = Field(description="The SMTP server.")
    port: int = Field(587, ge=1, le=65535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="starttls: encrypted after the first words (port 587); tls: from the start (465); none: not at all.",
    )
    user: str = Field("", description="User name at the server; empty: none is asked for.")
    password_env: Variable = Field("SYNDICATION_SMTP_PASSWORD", description="Environment variable that holds the password.")


class Notify(Model):
    """Who is told how a run ended."""

    exit_codes: list[ExitCode] = Field(
        default_factory=lambda: [1, 2, 3, 4, 5, 6, 7], description="Exit codes that are told; left out: all but 0."
    )
    webhook: WebAddress | Literal[""] = Field("", description="Address that gets a POST with the run's outcome as JSON.")
    secret_env: Variable = Field(
        "SYNDICATION_WEBHOOK_SECRET",
        description="Environment variable that holds the secret the webhook is signed with; where it is unset, it is not signed.",
    )
    email: Email | None = Field(None, description="E-mail about the run's outcome.")


class Webhook(Model):
    """Tells a partner of each new release of its sites."""

    url: WebAddress = Field(description="Address that gets a signed POST (Standard Webhooks) after each release.")
    secret_env: Variable = Field(
        description="Environment variable, on the publisher's machine, that holds the secret agreed with the partner.",
    )
