"""Keeps model versions in a directory: which is active, what was before it, whether a new one may follow."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import UserFacing
from models.router.inference import files
from models.router.inference.predict import BUILTIN, Model, load, model_directory

DEFAULT = Path("var/models")
_VERSION = re.compile(r"[0-9]{8}-[0-9]{4}-[0-9a-f]{6}")
_STATE = "active.json"
TOLERANCE = 0.0005
"""Differences of macro-F1 below this are rounding."""


@dataclass(frozen=True, slots=True)
class Version:
    """One line of `router list`."""

    name: str
    active: bool
    card: files.Card


@dataclass(frozen=True, slots=True)
class Store:
    """A directory with one folder per version and `active.json`; the shipped model belongs to every store."""

    root: Path = DEFAULT

    def active(self) -> str:
        """Name of the version in use; "builtin" until another was promoted."""
        return str(self._history()[-1])

    def add(self, arrays: files.Arrays, card: files.Card) -> files.Card:
        """Write a new version; it is not active before `promote`."""
        directory = self.root / card["version"]
        if directory.exists():
            return files.read_card(directory)
        partial = self.root / f".{card['version']}.{os.getpid()}"
        try:
            written = files.save(partial, arrays, card)
            partial.replace(directory)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            if directory.is_dir():  # another training of the same rows was faster, and made the same model
                return files.read_card(directory)
            raise UserFacing(f"{self.root}: the model cannot be stored ({error.strerror})") from None
        return written

    def versions(self) -> list[Version]:
        """All versions, the oldest first; folders that hold no readable card are passed over."""
        active = self.active()
        found = [Version(BUILTIN, active == BUILTIN, files.read_card(model_directory(BUILTIN)))]
        names = sorted(p.name for p in self.root.iterdir()) if self.root.is_dir() else []
        for name in names:
            if _VERSION.fullmatch(name):
                try:
                    found.append(Version(name, name == active, files.read_card(self.root / name)))
                except UserFacing:
                    continue
        return found

    def path(self, name: str | Path | None = None) -> Path:
        """Directory of a model: the active one for None, "builtin", a version of this store, or a path."""
        text = self.active() if name is None else str(name)
        if text == BUILTIN:
            return model_directory(BUILTIN)
        if _VERSION.fullmatch(text) and (self.root / text).is_dir():
            return self.root / text
        if _VERSION.fullmatch(text) and not Path(text).exists():
            raise UserFacing(
                f"no version {text} in {self.root}; `switchyard router list` names what is there"
            )
        return Path(text)

    def load(self, name: str | Path | None = None) -> Model:
        """The model of that name, see `path`."""
        return load(self.path(name))

    def promote(self, version: str, *, force: bool = False) -> str:
        """Make a version the active one, and return the one before; refuses a worse one without `force`."""
        if version != BUILTIN and not (_VERSION.fullmatch(version) and (self.root / version).is_dir()):
            raise UserFacing(
                f"no version {version} in {self.root}; `switchyard router list` names what is there"
            )
        with self._alone():
            history = self._history()
            before = history[-1]
            if version == before:
                raise UserFacing(f"{version} is active already")
            candidate = self.load(version)
            if not force and version != BUILTIN:
                reason = objection(candidate.card, before, self._card_of(before))
                if reason:
                    raise UserFacing(f"{version} is not promoted: {reason}; --force promotes it all the same")
            self._write([*history, version])
        return before

    def rollback(self) -> str:
        """Return to the version that was active before, and say which that is."""
        with self._alone():
            history = self._history()
            if len(history) < 2:
                raise UserFacing(f"{history[-1]} is active and there is none before it")
            self.load(history[-2])
            self._write(history[:-1])
        return history[-2]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Other processes wait: of two that switch at once, the second sees what the first one did."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UserFacing(f"{self.root}: cannot be written ({error.strerror})") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _card_of(self, name: str) -> files.Card | None:
        try:
            return files.read_card(self.path(name))
        except UserFacing:
            return None

    def _history(self) -> list[str]:
        try:
            content: Any = json.loads((self.root / _STATE).read_text(encoding="utf-8"))
            names = content["history"]
        except FileNotFoundError:
            return [BUILTIN]
        except OSError as error:
            raise UserFacing(f"{self.root / _STATE}: cannot be read ({error.strerror})") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            names = None
        if not isinstance(names, list):
            names = []
        known = [n for n in names if isinstance(n, str) and (n == BUILTIN or _VERSION.fullmatch(n))]
        if len(known) != len(names) or not known:
            raise UserFacing(f"{self.root / _STATE}: damaged; delete it to return to the built-in model")
        return known

    def _write(self, history: list[str]) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            partial = self.root / f".{_STATE}.{os.getpid()}"
            partial.write_text(json.dumps({"history": history[-50:]}, indent=2) + "\n", encoding="utf-8")
            partial.replace(self.root / _STATE)
        except OSError as error:
            raise UserFacing(f"{self.root}: cannot be written ({error.strerror})") from None


def objection(candidate: files.Card, active: str, champion: files.Card | None) -> str | None:
    """Why a candidate should not replace the active model, in one clause; None where it may.

    Both are compared on the same held-out rows, as measured when the candidate was trained. Figures of
    two cross-validations are no comparison: each model had its own rows, and one may have the easier ones.
    """
    held_out = candidate.get("held_out") or {}
    ours, theirs, shipped = (held_out.get(name) for name in ("challenger", "champion", "base"))
    if ours and shipped and held_out.get("beats_base") is False:
        return (
            f"on the later issues of its own data it does not beat the shipped model: macro-F1 "
            f"{ours['macro_f1']:.3f} against {shipped['macro_f1']:.3f}"
        )
    if champion is None:
        return None
    if not ours or not theirs or held_out.get("champion_version") != champion.get("version"):
        return (
            f"it shares no held-out rows with {active}, which is active; "
            f"compare them with `promote {candidate.get('version', 'VERSION')} --csv later.csv`"
        )
    if ours["macro_f1"] < theirs["macro_f1"] - TOLERANCE:
        return (
            f"on {held_out['rows']} held-out rows its macro-F1 is {ours['macro_f1']:.3f}, "
            f"that of {active}, which is active, {theirs['macro_f1']:.3f}"
        )
    return None
