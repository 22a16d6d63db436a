"""Tables of the wing that judges: agreement, disputes, verdicts, checks, lots."""

from review.models.check import CheckOutcome
from review.models.dispute import Agreement, Difference, Dispute, Verdict
from review.models.lot import Lot, LotMember

__all__ = ["Agreement", "CheckOutcome", "Difference", "Dispute", "Lot", "LotMember", "Verdict"]
