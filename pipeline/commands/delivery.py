"""Commands of those who answer for the delivery: keys, resign, deliver, status, doctor, access."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.building import DEFAULT_CONFIG, key_place, opened, with_keys
from pipeline.commands.clock import now, run_id
from pipeline.commands.delivering import deliver_all, deliver_one
from pipeline.commands.options import Config, Json, Partners, SiteOption
from pipeline.commands.speaking import echo_json, print_table, say
from pipeline.errors import SyndicationError, UsageError

if TYPE_CHECKING:
    from outputs.status import SiteStatus
    from pipeline.report import SiteReport
    from pipeline.settings import Partner

commands = typer.Typer()
keys_commands = typer.Typer(no_args_is_help=True, help="The publisher's signing keys: init, rotate, show, export-root.")
commands.add_typer(keys_commands, name="keys")
access_commands = typer.Typer(no_args_is_help=True, help="Rights in the store: policy.")
commands.add_typer(access_commands, name="access")
Store = Annotated[str, typer.Option(help="This folder or s3://bucket/prefix instead of the settings' store.")]


@keys_commands.command(
    "init", epilog="Examples:\n\n  run_pipeline.py keys init\n\n  run_pipeline.py keys init -c site/syndication.toml"
)
def init(config: Config = DEFAULT_CONFIG) -> None:
    """Make the root key, the online key and the first root metadata."""
    with opened(config) as system:
        from outputs import keys

        place = key_place(system.configuration)
        for path in keys.init(place, now()):
            say(f"wrote {path}")
        say(f"give {place.folder / 'root.json'} to every partner, by a way they trust; take root.pem off this machine")


@keys_commands.command("rotate", epilog="Examples:\n\n  run_pipeline.py keys rotate online\n\n  run_pipeline.py keys rotate root")
def rotate(
    roles: Annotated[
        list[str] | None,
        typer.Argument(help="online, root, targets, snapshot or timestamp; none: only the root's expiry is renewed."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Replace keys, signed by the root key, which must be there. Partners notice nothing; then run `resign`."""
    with opened(config) as system:
        from outputs import keys, signing

        known = {"online": signing.ONLINE, **{role: (role,) for role in keys.ROLES}}
        for name in roles or ():
            if name not in known:
                raise UsageError(f"{name!r} is no role", expected=", ".join(known), fix="use one of those")
        chosen = tuple(dict.fromkeys(role for name in roles or () for role in known[name]))
        for path in keys.rotate(key_place(system.configuration), chosen, now()):
            say(f"wrote {path}")
        say("next: run_pipeline.py resign")


@keys_commands.command("show", epilog="Examples:\n\n  run_pipeline.py keys show")
def show(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Say which keys sign what, and until when the root is valid."""
    with opened(config) as system:
        from outputs import keys

        found = keys.show(key_place(system.configuration))
        if as_json:
            echo_json(found)
        else:
            say(f"root version {found['version']}, valid until {found['expires']}")
            print_table(
                [{"role": role, **{name: str(value) for name, value in key.items()}} for role, key in found["keys"].items()]
            )


@keys_commands.command("export-root", epilog="Examples:\n\n  run_pipeline.py keys export-root root.json")
def export_root(file: Annotated[Path, typer.Argument(help="The file to write.")], config: Config = DEFAULT_CONFIG) -> None:
    """Write the newest root metadata: what a partner's first pull needs (--root)."""
    with opened(config) as system:
        found = with_keys(system, now()).signing
        if found is None:
            raise UsageError("there are no keys yet", fix="run `keys init`")
        file.write_bytes(found.roots[-1])
        say(f"wrote {file}")


@commands.command(epilog="Examples:\n\n  run_pipeline.py resign\n\n  run_pipeline.py resign --partner riverside")
def resign(
    config: Config = DEFAULT_CONFIG,
    partner: Partners = None,
    store: Store = "",
    as_json: Json = False,
) -> None:
    """Sign what is live anew, without reading sources: partners see that it is still vouched for, and when a run last looked."""
    with opened(config, store=store) as system:
        from outputs import release
        from pipeline.sites import all_sites

        moment = now()
        system = with_keys(system, moment)
        place = system.open_store(system.configuration.settings.store)
        partners = [system.configuration.partner(name) for name in partner or ()] or list(system.configuration.partners)
        lines, codes = [], []
        for prefix in [prefix for one in partners for prefix in all_sites(one)]:
            try:
                done = release.resign(place, prefix, created=moment.isoformat(timespec="seconds"), signing=system.signing)
                state = f"release {done.sequence} signed" if done else "nothing is live"
            except SyndicationError as problem:  # each site alone
                state = str(problem)
                codes.append(problem.exit_code)
            lines.append({"site": prefix.removeprefix("p/"), "state": state})
        sites: list[SiteReport] = []
        deliver_all(system, sites, partner or ())
        lines += [{"site": site.site, "state": site.error} for site in sites if site.error]
        codes += [site.exit_code for site in sites]
        echo_json(lines) if as_json else print_table(lines)
        raise typer.Exit(next((code for code in (7, 4, 5, 2) if code in codes), 0))


@commands.command(epilog="Examples:\n\n  run_pipeline.py deliver\n\n  run_pipeline.py deliver --partner riverside")
def deliver(config: Config = DEFAULT_CONFIG, partner: Partners = None, store: Store = "", as_json: Json = False) -> None:
    """Copy what is live into the buckets of partners that have one of their own (section delivery of their file). Where that
    says automatic, every run, withdrawal and re-signing does it too."""
    with opened(config, store=store) as system:
        from pipeline.sites import all_sites

        system = with_keys(system, now())
        partners = [system.configuration.partner(name) for name in partner or ()] or list(system.configuration.partners)
        lines, codes = [], []
        for one, prefix in [(each, prefix) for each in partners if each.delivery for prefix in all_sites(each)]:
            try:
                done = deliver_one(system, one, prefix)
                state = (
                    f"release {done.sequence} {done.state}, {done.objects} objects, {done.size} bytes"
                    if done
                    else "nothing is live"
                )
            except SyndicationError as problem:  # each site alone
                state = str(problem)
                codes.append(problem.exit_code)
            lines.append({"site": prefix.removeprefix("p/"), "state": state})
        echo_json(lines) if as_json else print_table(lines)
        raise typer.Exit(next((code for code in (7, 4, 5, 2) if code in codes), 0))


@commands.command(epilog="Examples:\n\n  run_pipeline.py status\n\n  run_pipeline.py status --partner riverside --json")
def status(config: Config = DEFAULT_CONFIG, partner: Partners = None, store: Store = "", as_json: Json = False) -> None:
    """Say what is live at each site, until when it is vouched for, who has not fetched it yet and whom to call."""
    with opened(config, store=store) as system:
        from outputs import status as states
        from pipeline.sites import all_sites

        system = with_keys(system, now())
        place = system.open_store(system.configuration.settings.store)
        partners = [system.configuration.partner(name) for name in partner or ()] or list(system.configuration.partners)
        records, codes = [], []
        for one in partners:
            for prefix in all_sites(one):
                try:
                    found = states.site_status(place, prefix, system.signing, now())
                except SyndicationError as problem:  # each site alone
                    codes.append(problem.exit_code)
                    found = states.SiteStatus(prefix.removeprefix("p/"), warnings=(str(problem),))
                records.append((found, one))
        if as_json:
            echo_json([{**asdict(found), "behind": found.behind, "call": _whom(one)} for found, one in records])
        else:
            print_table([_status_row(found, one) for found, one in records])
            for found, _ in records:
                for warning in found.warnings:
                    say(f"{found.site}: {warning}")
        raise typer.Exit(next((code for code in (7, 4) if code in codes), 0))


def _status_row(found: SiteStatus, partner: Partner) -> dict[str, str]:
    has = found.acknowledged
    return {
        "site": found.site,
        "release": str(found.sequence or "none"),
        "last run": found.last_run[:16],
        "valid until": found.expires[:10],
        "partner has": f"{has.sequence} since {has.installed[:16]} {has.name}".rstrip() if has else "not said",
        "call": _whom(partner) if found.behind else "",
        "partner's words": has.statement if has else "",
    }


def _whom(partner: Partner) -> str:
    """Whom to call at a partner, as its file says it."""
    contacts = partner.contacts.model_dump()
    return "; ".join(str(value) for value in contacts.values() if value) or partner.name


@commands.command(epilog="Examples:\n\n  run_pipeline.py doctor\n\n  run_pipeline.py doctor --store s3://bucket/prefix")
def doctor(config: Config = DEFAULT_CONFIG, store: Store = "", as_json: Json = False) -> None:
    """Try out whether the store can be trusted with releases, and the keys; say plainly what is missing."""
    with opened(config, store=store) as system:
        from outputs import doctor as doctors

        moment = now()
        system = with_keys(system, moment)
        place = system.open_store(system.configuration.settings.store)
        checks = [*doctors.examine(place, run_id(moment), now), *doctors.examine_keys(system.signing, moment)]
        rows = [{"check": check.name, "state": check.state, "found": check.text} for check in checks]
        echo_json(rows) if as_json else print_table(rows)
        raise typer.Exit(4 if any(check.state == "failed" for check in checks) else 0)


@access_commands.command(
    "policy",
    epilog="Examples:\n\n  run_pipeline.py access policy --partner riverside\n\n"
    "  run_pipeline.py access policy --partner riverside --kind bucket --principal arn:aws:iam::123456789012:role/web",
)
def policy(
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner.")],
    config: Config = DEFAULT_CONFIG,
    site: SiteOption = "",
    kind: Annotated[str, typer.Option(help="iam, bucket or seaweedfs.")] = "iam",
    principal: Annotated[str, typer.Option(help="The partner's ARN, for a bucket policy.")] = "",
    kms_key: Annotated[str, typer.Option(help="ARN of the key that the bucket is encrypted with.")] = "",
    store: Store = "",
) -> None:
    """Print the least policy of a partner: read its own prefix, list nothing, write acknowledgements alone."""
    with opened(config, store=store) as system:
        from outputs import access
        from pipeline.settings import unknown
        from pipeline.sites import prefix_of

        known = system.configuration.partner(partner).all_sites()
        chosen = site or partner if len(known) > 1 else next(iter(known))
        if chosen not in known:
            raise unknown(f"site of {partner}", chosen, known)
        url = system.configuration.settings.store
        echo_json(access.policy(kind, url, prefix_of(chosen), name=chosen, principal=principal, kms_key=kms_key))
