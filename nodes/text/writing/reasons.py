"""Puts the model's reasons into words that markdown shows as they are."""

from models.case import Prediction
from models.text.escape import inline

SHOWN = 4


def spoken(prediction: Prediction, *, against: bool = False, limit: int = SHOWN) -> str:
    """The strongest reasons for the predicted route, or against it, as a list; empty where there are none."""
    names = [name for name, weight in prediction.reasons if (weight < 0 if against else weight > 0)]
    # Words of code have underscores, which `inline` leaves alone.
    return ", ".join(inline(name, 80).replace("_", "\\_") for name in names[:limit])
