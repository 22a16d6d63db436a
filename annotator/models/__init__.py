"""Tables of the foundation. Every invariant that a database can hold is a constraint here."""

from annotator.models.account import Account, Invitation, TokenName
from annotator.models.annotation import (
    AcceptedDocument,
    CandidateDocument,
    Checkpoint,
    ParkedDraft,
    Part,
    Revision,
)
from annotator.models.event import ChainHead, Event, IdempotencyKey, NewsCursor
from annotator.models.item import Asset, Batch, Item, ItemAsset, Prelabel, PrelabelSet, Upload
from annotator.models.job import Job
from annotator.models.project import ROLES, Member, Project, SchemaVersion, Team, WorkflowVersion
from annotator.models.release import Release
from annotator.models.task import (
    HOLDING,
    LIVE,
    OPEN_STATES,
    STATES,
    Assignment,
    ClaimCursor,
    Exposure,
    Reservation,
    Skip,
    Task,
)
from annotator.models.view import SavedView

__all__ = [
    "HOLDING",
    "LIVE",
    "OPEN_STATES",
    "ROLES",
    "STATES",
    "AcceptedDocument",
    "Account",
    "Asset",
    "Assignment",
    "Batch",
    "CandidateDocument",
    "ChainHead",
    "Checkpoint",
    "ClaimCursor",
    "Event",
    "Exposure",
    "IdempotencyKey",
    "Invitation",
    "Item",
    "ItemAsset",
    "Job",
    "Member",
    "NewsCursor",
    "ParkedDraft",
    "Part",
    "Prelabel",
    "PrelabelSet",
    "Project",
    "Release",
    "Reservation",
    "Revision",
    "SavedView",
    "SchemaVersion",
    "Skip",
    "Task",
    "Team",
    "TokenName",
    "Upload",
    "WorkflowVersion",
]
