"""The sub-flow of each route."""

from subflows.base import Subflow
from subflows.bug import bug
from subflows.docs import docs
from subflows.feature import feature
from subflows.needs_human import needs_human
from subflows.security import security

SUBFLOWS: dict[str, Subflow] = {
    "bug": bug,
    "feature": feature,
    "docs": docs,
    "security": security,
    "needs_human": needs_human,
}
