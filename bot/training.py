"""One training: from rows to a version in the store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import UserFacing

if TYPE_CHECKING:
    from models.router.inference.store import Store
    from models.router.training.data import Row


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a training gets: rows, how many come from where, and what was left out, as sentences."""

    rows: "tuple[Row, ...]"
    sources: Mapping[str, int]
    notes: tuple[str, ...] = ()


def train_version(
    lesson: Lesson,
    store: "Store",
    output: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Train on a lesson, and put the model into the store, or into `output` instead.

    Returns its card, and what the training had to say.
    """
    from models.router.inference.files import save
    from models.router.inference.predict import BUILTIN
    from models.router.training import train

    if output is not None and output.exists() and not output.is_dir():
        raise UserFacing(f"{output}: is a file; --output names the directory that becomes the model")
    active = store.active()
    base, folds = train.load_base()
    champion = None if active == BUILTIN else store.load(active)
    trained = train.train(lesson.rows, base, folds, lesson.sources, champion=champion, progress=progress)
    if output is None:
        return dict(store.add(trained.arrays, trained.card)), trained.notes
    try:
        card = save(output, trained.arrays, trained.card)
    except OSError as error:
        raise UserFacing(f"{output}: the model cannot be written ({error.strerror})") from None
    return dict(card), trained.notes
