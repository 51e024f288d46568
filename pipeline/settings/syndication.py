"""syndication.toml: where things are, and what stops a run. In: TOML values. Out: `Settings`."""

from __future__ import annotations

from pydantic import Field

from pipeline.settings.fields import Model, Share, Text
from pipeline.settings.messages import Notify


class Brake(Model):
    """Stops a site where more than this share of its topics (and at least `at_least`) would go or change, undecided."""

    removals: Share = Field("5%", description="Share of a site's topics that one run may remove without a decision or a date.")
    changes: Share = Field("50%", description="Share of a site's topics whose text may change in one run.")
    at_least: int = Field(5, ge=0, description="Never stop for fewer topics than this, unless a site would lose all it has.")


class Images(Model):
    """Limits of images."""

    max_megabytes: float = Field(5.0, gt=0, description="A larger image file is a finding and is not delivered.")
    max_megapixels: float = Field(25.0, gt=0, description="An image of more pixels is a finding and is not delivered.")


class Archive(Model):
    """How long the publisher keeps what was replaced."""

    years: int = Field(10, ge=1, le=100, description="A replaced or withdrawn release can be asked for this long.")
    grace_days: int = Field(
        30, ge=1, le=3650, description="Partners can fetch a replaced release this long; then `prune` moves it to the archive."
    )


class Runs(Model):
    """What is kept of runs."""

    keep_days: int = Field(400, ge=1, le=36500, description="`prune` removes records (`runs/`) of runs that began earlier.")


class Days(Model):
    """How many days signatures are valid. Every run renews what is past half its life."""

    root: int = Field(730, ge=1, description="The root's, which `keys rotate` renews.")
    targets: int = Field(180, ge=1, description="Of the release itself.")
    snapshot: int = Field(60, ge=1, description="Of the release's place in the history.")
    timestamp: int = Field(
        14, ge=1, description="Of the pointer: a partner that sees nothing newer for so long says that it is out of date."
    )


class Signing(Model):
    """With what releases are signed. Keys are URIs: file:PATH (PEM), env:NAME, awskms:KEY; never the key itself."""

    keys: str = Field("keys", description="The folder of root metadata; `keys init` makes it.")
    root_key: str = Field("", description="The root's private key, for `keys` alone; empty: root.pem in that folder.")
    online_key: str = Field("", description="The private key of every run; empty: online.pem in that folder.")
    targets_key: str = Field("", description="Another key for releases; empty: online_key.")
    snapshot_key: str = Field("", description="Another key for snapshots; empty: online_key.")
    timestamp_key: str = Field("", description="Another key for pointers; empty: online_key.")
    days: Days = Field(default_factory=Days, description="How long signatures are valid.")


class Settings(Model):
    """syndication.toml: where things are. Paths are relative to the file."""

    inputs: list[Text] = Field(
        min_length=1, description="Folders, files, zip archives or s3:// prefixes with topic XML and images."
    )
    publisher: Text = Field("publisher.toml", description="The publisher's file.")
    partners: Text = Field("partners", description="A folder of <id>.toml, one per partner.")
    assets: str = Field("", description="Rights of images, by file (assets.toml); empty: none is described.")
    store: Text = Field(description="Where releases go: a folder or s3://bucket/prefix.")
    cache: str = Field("build/cache", description="A folder for work that need not be done twice; empty: none.")
    conditions: str = Field("", description="A DITAVAL file that applies to every partner that names none of its own.")
    maps: list[str] = Field(default_factory=list, description="Root maps; empty: every map that no other map references.")
    workers: int = Field(0, ge=0, description="Processes that render; 0: one per processor core.")
    brake: Brake = Field(default_factory=Brake, description="What stops a run before it empties a site.")
    runs: Runs = Field(default_factory=Runs, description="How long the records of runs are kept.")
    archive: Archive = Field(default_factory=Archive, description="How long is kept what was replaced.")
    images: Images = Field(default_factory=Images, description="How large images may be.")
    signing: Signing = Field(default_factory=Signing, description="With what releases are signed.")
    confirmed_edits: dict[str, Text] = Field(
        default_factory=dict,
        description="Edits that change no meaning: input file = the start (12 or more digits) of its SHA-256. Topics whose text"
        " such a file changed go out though neither their version nor their review date moved.",
    )
    reports: str = Field("build/runs", description="A folder for records of runs that the store did not take.")
    notify: Notify = Field(default_factory=Notify, description="Who is told how runs end.")
