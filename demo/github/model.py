"""What the stand-in knows: accounts, repositories, issues, apps. Plain records, no behaviour.

Times are GitHub's text (`2026-01-31T12:00:00Z`) unless a name says seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Permissions = dict[str, str]


@dataclass
class Account:
    """A user, an organization or an App's bot; `type` is User, Organization or Bot."""

    id: int
    login: str
    type: str
    created_at: str
    name: str | None = None


@dataclass
class Label:
    """A label of one repository; `color` is six hexadecimal digits without `#`."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None
    created_at: str = ""


@dataclass
class Event:
    """Something that happened to an issue: labeled, unlabeled, renamed, closed, locked ..."""

    id: int
    kind: str
    actor_id: int | None
    created_at: str
    app_id: int | None = None
    label: Label | None = None
    rename: tuple[str, str] | None = None
    lock_reason: str | None = None
    from_repository_id: int | None = None


@dataclass
class Edit:
    """One version of an issue's body and who wrote it; the first is the body as it was opened."""

    id: int
    editor_id: int | None
    edited_at: str
    body: str | None
    deleted_at: str | None = None


@dataclass
class Comment:
    """A comment on an issue."""

    id: int
    author_id: int
    body: str
    created_at: str
    app_id: int | None = None
    updated_at: str = ""


@dataclass
class Suggestion:
    """A label that somebody proposed for an issue; `state` is GitHub's word for what became of it.

    `event_id` is of the event that an approval made.
    """

    id: int
    label_id: int
    rationale: str | None
    confidence: str | None
    actor_id: int
    created_at: str
    updated_at: str
    state: str = "pending"
    resolved_by: int | None = None
    event_id: int | None = None


@dataclass
class Issue:
    """An issue, or a pull request where `is_pull_request`; `label_ids` in the order of adding.

    `suggestions` are labels offered and not put on.
    """

    id: int
    number: int
    title: str
    body: str | None
    author_id: int | None
    created_at: str
    updated_at: str
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    closed_by_id: int | None = None
    locked: bool = False
    lock_reason: str | None = None
    is_pull_request: bool = False
    app_id: int | None = None
    association: str | None = None
    label_ids: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    deleted: bool = False
    moved_to: tuple[int, int] | None = None


@dataclass
class Repository:
    """A repository; `roles` maps an account id to read, triage, write, maintain or admin.

    `role_names` has the name of a custom role, for those whose role in `roles` is only its base.
    """

    id: int
    owner_id: int
    name: str
    created_at: str
    private: bool = False
    archived: bool = False
    has_issues: bool = True
    deleted: bool = False
    description: str | None = None
    next_number: int = 1
    labels: dict[int, Label] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)
    role_names: dict[int, str] = field(default_factory=dict)


@dataclass
class App:
    """A GitHub App. Only the public halves of its keys are kept, as GitHub does."""

    id: int
    slug: str
    name: str
    owner_id: int
    bot_id: int
    client_id: str
    client_secret: str
    public_keys: list[str]
    created_at: str
    permissions: Permissions
    events: list[str]
    webhook_url: str | None = None
    webhook_secret: str | None = None
    description: str | None = None
    external_url: str = "https://example.com/labelwright"
    single_file_paths: list[str] = field(default_factory=list)
    callback_urls: list[str] = field(default_factory=list)
    setup_url: str | None = None


@dataclass
class Installation:
    """An App on an account; `repository_ids` counts only where `selection` is selected."""

    id: int
    app_id: int
    account_id: int
    permissions: Permissions
    events: list[str]
    created_at: str
    selection: str = "selected"
    repository_ids: set[int] = field(default_factory=set)
    single_file_paths: list[str] = field(default_factory=list)
    suspended_at: str | None = None
    suspended_by_id: int | None = None


@dataclass
class Token:
    """A token of an installation, of a person, or of a person who signed in through an App.

    The last has both an account and an App. Only a personal token does not expire; expiry in epoch
    seconds.
    """

    value: str
    expires_at: float | None
    installation_id: int | None = None
    account_id: int | None = None
    permissions: Permissions = field(default_factory=dict)
    repository_ids: frozenset[int] | None = None
    app_id: int | None = None


@dataclass(frozen=True)
class Authorization:
    """A person's yes to an App, under a code until the App fetches a token for it.

    `challenge` is the S256 challenge of PKCE, None where the App sent none.
    """

    app_id: int
    account_id: int
    redirect_uri: str
    challenge: str | None
    expires_at: float


@dataclass
class Delivery:
    """One webhook sent, or still to send; a redelivery shares its `guid` with the first."""

    id: int
    guid: str
    event: str
    action: str | None
    app_id: int
    installation_id: int | None
    repository_id: int | None
    url: str
    headers: dict[str, str]
    body: bytes
    delivered_at: str
    redelivery: bool = False
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""
