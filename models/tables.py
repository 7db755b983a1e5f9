"""The tables. Times are seconds since the epoch (UTC), documents are JSON, keys are the ones people see."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel


class RepositoryRow(SQLModel, table=True):
    """How far a repository was read."""

    __tablename__ = "repositories"
    name: str = Field(primary_key=True)
    cursor: float | None = None
    """Issues changed before this were seen by a completed run."""
    etag: str | None = None
    etag_url: str | None = None


class IssueRow(SQLModel, table=True):
    """The stored copy of an issue: what a batch reads, and the fallback when GitHub is down."""

    __tablename__ = "issues"
    __table_args__ = (Index("issues_repo_title", "repo", "title_key"),)
    key: str = Field(primary_key=True)
    repo: str
    number: int
    updated_at: float
    run_id: str
    """The run that fetched it last."""
    title_key: str = ""
    data: str = Field(sa_column=Column(Text, nullable=False))


class CaseRow(SQLModel, table=True):
    """What was decided about an issue, and on which content."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_trace", "trace_key"),
        Index("cases_updated", "updated_at"),
        # In the report's order: sorting all rows at the end would hold them all.
        Index("cases_report", "run_id", "status", text("urgency DESC"), "key"),
    )
    key: str = Field(primary_key=True)
    run_id: str
    status: str
    """triaged or failed"""
    route: str
    content_hash: str
    own_labels: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    urgency: float = 0.0
    trace_key: str = ""
    title: str = ""
    url: str = ""
    failures: int = 0
    error: str = ""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Decision, analyses and evidence as the report and `why` show them."""
    updated_at: float = 0.0


class CommandRow(SQLModel, table=True):
    """The outbox: the retry queue while pending, the dead letters when dead, the memory of answers when sent."""

    __tablename__ = "commands"
    __table_args__ = (
        Index("commands_due", "state", "lane", "next_attempt_at"),
        Index("commands_run", "run_id", "state"),
        Index("commands_issue", "issue"),
    )
    key: str = Field(primary_key=True)
    target: str
    lane: str
    operation: str
    issue: str | None = None
    run_id: str
    state: str = "pending"
    """pending, sent, dead, or dropped (the lane's owner was told to discard it)"""
    payload: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    payload_hash: str
    after: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    attempts: int = 0
    failures: int = 0
    """Attempts that failed while the target answered others; max_attempts is about these."""
    created_at: float
    next_attempt_at: float
    maybe_sent_at: float | None = None
    sent_at: float | None = None
    last_error: str | None = None
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))


class RunRow(SQLModel, table=True):
    """One triage run."""

    __tablename__ = "runs"
    id: str = Field(primary_key=True)
    trigger: str
    """cli, nightly, api"""
    params: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    status: str = "running"
    """running until its report is written; then done, failed or cancelled (the report says how well)"""
    owner: str | None = None
    """The process that drives it; a dead one's run is taken over."""
    progress: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Where fetching stands; written in the transaction that stores a page."""
    started_at: float
    cases_done_at: float | None = None
    finished_at: float | None = None
    requests: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    problems: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    report: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))


class BatchRow(SQLModel, table=True):
    """Issues that are thought about together; made with the page, done in the transaction that stores its cases."""

    __tablename__ = "batches"
    __table_args__ = (Index("batches_open", "state", "run_id"),)
    run_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    state: str = "pending"
    """pending, claimed or done"""
    owner: str | None = None
    refs: list[str] = Field(sa_column=Column(JSON, nullable=False))
    counts: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))


class LaneRow(SQLModel, table=True):
    """Who works a lane and, where it stands still, until when and why."""

    __tablename__ = "lanes"
    name: str = Field(primary_key=True)
    holder: str | None = None
    token: int = 0
    """Counts the times that the lane was taken: who holds an earlier one was taken for dead meanwhile."""
    blocked_until: float | None = None
    blocked_kind: str | None = None
    """rate or content (healthy, paced), breaker, or credential"""
    blocked_reason: str | None = None


class BreakerRow(SQLModel, table=True):
    """A breaker's state, so that a restart does not forget an outage."""

    __tablename__ = "breakers"
    service: str = Field(primary_key=True)
    state: str
    opened_at: float | None = None


class OwnerRow(SQLModel, table=True):
    """A live process; what a dead one held is taken over."""

    __tablename__ = "owners"
    executor_id: str = Field(primary_key=True)
    host: str
    pid: int
    process_started: float
    heartbeat_at: float
    """By the database server's clock where there is a server."""
    clock_at: float = 0.0
    """By the clock of the process's own host, which gives all other times."""
    failing: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """The last error of each background task that fails again and again, by its name."""


class AlertRow(SQLModel, table=True):
    """An alert that was sent and is not over yet."""

    __tablename__ = "alerts"
    name: str = Field(primary_key=True)
    since: float
    detail: str


class ExampleRow(SQLModel, table=True):
    """An issue that carries labels, open or closed, as training reads it."""

    __tablename__ = "examples"
    __table_args__ = (Index("examples_repo", "repo", "created_at"),)
    key: str = Field(primary_key=True)
    repo: str
    created_at: float
    title: str
    body: str = Field(sa_column=Column(Text, nullable=False))
    """As much of it as the router looks at."""
    labels: list[str] = Field(sa_column=Column(JSON, nullable=False))
    labelled_by: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Label in lower case to {"login", "bot", "at"}: who put it there last."""


class ReadingRow(SQLModel, table=True):
    """How far a repository's labelled issues, and the events that tell who labelled them, were read."""

    __tablename__ = "readings"
    repo: str = Field(primary_key=True)
    issues_since: float | None = None
    events_done: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Events up to this number were read."""
    events_top: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """The newest event of a reading that is not finished, and the page where it goes on."""
    events_next: str | None = None


class CorrectionRow(SQLModel, table=True):
    """A person's word against, or in place of, the router's."""

    __tablename__ = "corrections"
    __table_args__ = (Index("corrections_issue", "issue", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    issue: str
    before: str
    """The route the bot had chosen; needs_human where it had left the choice to people."""
    after: str
    """bug, feature, docs, question or security"""
    person: str | None = None
    via: str
    """label, comment or slack"""
    at: float
    shown: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """What the bot had said: model, confidence, probabilities, reasons."""


class RouterDayRow(SQLModel, table=True):
    """A day's decisions of one router model, counted; what the watch for drift looks at."""

    __tablename__ = "router_days"
    day: str = Field(primary_key=True)
    """UTC, as 2026-11-21."""
    model: str = Field(primary_key=True)
    decided: int = 0
    abstained: int = 0
    corrected: int = 0


class InboxRow(SQLModel, table=True):
    """A webhook delivery, stored before it is answered; the payload goes once it was handled."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index("inbox_open", "state", "received_at"),
        Index("inbox_body", "body_hash"),
    )
    id: str = Field(primary_key=True)
    """The service and its own name of the delivery, as github:<GUID>."""
    event: str
    action: str = ""
    issue: str | None = None
    sender: str = ""
    """The account that caused it, as the service names it."""
    body_hash: str
    received_at: float
    state: str = "pending"
    """pending, done, or ignored (nothing that this bot acts on)"""
    note: str = ""
    """What was made of it, in a few words."""
    payload: str = Field(default="", sa_column=Column(Text, nullable=False))


class SpendingRow(SQLModel, table=True):
    """Requests that a process sent with a credential in one second; all processes share its limits."""

    __tablename__ = "spending"
    id: int | None = Field(default=None, primary_key=True)
    owner: str
    service: str
    kind: str
    """read, write or content"""
    at: float
    count: int


class StoryRow(SQLModel, table=True):
    """A Shortcut story that belongs to an issue, as it was seen last, and what its issue was told of it."""

    __tablename__ = "stories"
    __table_args__ = (Index("stories_ref", "ref"),)
    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    ref: str
    """The issue in lower case, as it is looked up: people type links as they like."""
    issue: str | None = None
    """The issue as GitHub writes it; None until a command for it was met."""
    ours: bool = False
    """Made by the bot: it carries the issue as external id."""
    url: str = ""
    state_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    epic_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    owner_ids: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    archived: bool = False
    created_at: float
    updated_at: float
    start: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """State, epic and owners from which on changes are people's: those it was made with, or was first seen with."""
    told: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """State, epic and owners that its issue shows, or needs not show."""
    untold: bool = False
    """Its issue has yet to be told of a change."""


class StoryReadingRow(SQLModel, table=True):
    """How far a workspace's stories were read."""

    __tablename__ = "story_readings"
    name: str = Field(primary_key=True)
    since: float
    """The service's clock at the last reading; stories changed before were seen."""
    at: float
    """This machine's clock then."""


class InstalledRow(SQLModel, table=True):
    """A repository that the GitHub App may see; it goes when the App is taken off it."""

    __tablename__ = "installed"
    __table_args__ = (Index("installed_by", "installation_id"),)
    repo: str = Field(primary_key=True)
    """As GitHub writes it."""
    installation_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    since: float


class RepositoryConfigRow(SQLModel, table=True):
    """A repository's own configuration: the last good one, and what is wrong with the newest where it is not good."""

    __tablename__ = "repository_configs"
    repo: str = Field(primary_key=True)
    """In lower case, as it is looked up."""
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """The file's content; empty where there is none."""
    sha: str = ""
    """Git's name of the file that was read last, good or bad."""
    problem: str = ""
    read_at: float = 0.0


class AuditRow(SQLModel, table=True):
    """One thing that a person did here, or that the bot wrote somewhere."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_at", "at"), Index("audit_subject", "subject", "at"))
    id: int | None = Field(default=None, primary_key=True)
    at: float
    actor: str
    """A login, the name of a token, an account of this machine; `switchyard` for the bot itself."""
    via: str
    """cli, api, page, slack, github; the service written to where the bot is the actor"""
    action: str
    subject: str
    """The issue, run, command or model it was done to."""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class QuietRow(SQLModel, table=True):
    """An issue on which the bot answers no more bots for a while: they answered one another."""

    __tablename__ = "quiet"
    issue: str = Field(primary_key=True)
    since: float
    until: float
    sender: str = ""
    """Whose events would have been answered."""


class PauseRow(SQLModel, table=True):
    """What a person asked not to be told of for a while: a case that was snoozed, a channel that was muted."""

    __tablename__ = "pauses"
    key: str = Field(primary_key=True)
    """case:owner/name#n, or mute:CHANNEL"""
    until: float | None = None
    """None: until somebody says otherwise."""
    person: str
    at: float


class SweepRow(SQLModel, table=True):
    """How far a source of missed deliveries was read: a repository, or the App's own list."""

    __tablename__ = "sweeps"
    name: str = Field(primary_key=True)
    since: float
    """By the service's clock."""


class DocumentRow(SQLModel, table=True):
    """An issue or story that the bot has seen, as the index of similar ones takes it; a change gets a new number."""

    __tablename__ = "documents"
    __table_args__ = (Index("documents_key", "key", unique=True),)
    seq: int | None = Field(default=None, primary_key=True)
    key: str
    """The issue, or shortcut:NUMBER."""
    repo: str
    """Empty for a story that belongs to no issue."""
    title: str = ""
    url: str = ""
    done: bool = False
    """Closed, or a finished story."""
    estimate: int | None = None
    """A story's points."""
    terms: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    """Hashed words with their counts; empty where the document must not be found any more."""
    updated_at: float


class AnswerRow(SQLModel, table=True):
    """What a service that is dear or slow answered to a question, and what it cost; asked again, it is given again."""

    __tablename__ = "answers"
    __table_args__ = (Index("answers_key", "key"), Index("answers_spent", "kind", "at"))
    id: int | None = Field(default=None, primary_key=True)
    key: str
    """A hash of everything that the answer depends on."""
    kind: str
    """draft, advisories"""
    run_id: str = ""
    subject: str = ""
    """The issue that it was asked for."""
    at: float
    data: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """None where the answer was of no use; it was paid for nevertheless."""
    tokens: int = 0
    cost: float = 0.0
    """In the model's currency, as the configuration gives its prices."""


METADATA = SQLModel.metadata
SCHEMA_VERSION = "0006"
"""Alembic's newest revision; short commands compare it without importing Alembic."""
