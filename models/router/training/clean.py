"""Makes one row of the rows that say the same text, so that none judges itself in cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from models.router.inference.text import Text
from models.router.training.data import Row, parse_time

_long_ago = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Each text of a repository once, and how many rows that took."""

    rows: tuple[Row, ...]
    repeated: int
    """Rows that another row of the same repository and text speaks for."""
    relabelled: int
    """Texts with different labels that nobody corrected."""
    disagreements: int
    """Texts that were corrected differently."""

    @property
    def notes(self) -> list[str]:
        """A sentence on each of these that occurred."""
        found = (
            (self.repeated, "repeated rows counted once"),
            (self.relabelled, "texts with different labels: the latest label counts"),
            (self.disagreements, "texts that were corrected differently: the last correction counts"),
        )
        return [f"{number} {what}" for number, what in found if number]


def key_of(text: Text) -> bytes:
    """The same for texts that differ in case and white space only, whatever their repository."""
    words = " ".join(f"{text.title}\n{text.body}".casefold().split())
    return blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def once(rows: Sequence[Row]) -> Cleaned:
    """One row per repository and text: the last correction, else the latest by `created_at`.

    Of two with the same time, or none, the one further down counts.
    """
    groups: dict[tuple[str, bytes], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault((row.text.repo.lower(), key_of(row.text)), []).append(index)
    chosen = []
    relabelled = disagreements = 0
    for group in groups.values():
        corrected = [i for i in group if rows[i].corrected]
        differ = len({rows[i].label for i in corrected or group}) > 1
        disagreements += differ and bool(corrected)
        relabelled += differ and not corrected
        chosen.append(max(corrected or group, key=lambda i: (parse_time(rows[i].created_at) or _long_ago, i)))
    chosen.sort()
    return Cleaned(tuple(rows[i] for i in chosen), len(rows) - len(chosen), relabelled, disagreements)
