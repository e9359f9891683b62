"""The catalogue, open: rows are kept, each with an entry in the audit trail, in one transaction; any may be asked."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from recorder.catalogue.audit import (
    BEFORE_THE_FIRST,
    Deed,
    Head,
    Signature,
    entry_after,
    findings,
    note_head,
    noted_heads,
)
from recorder.catalogue.database import alone, opened
from recorder.catalogue.models import AuditEntry, Table
from recorder.catalogue.upgrade import require_newest


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Catalogue:
    """For one thread. `heads` is the folder in which this computer notes the trail's newest entries."""

    def __init__(self, engine: Engine, key: bytes, heads: Path, now_utc: Callable[[], datetime] = _utc_now) -> None:
        self._engine = engine
        self._key = key
        self._heads = heads
        self._now_utc = now_utc

    def keep(self, actor: str, rows: Iterable[Table], signature: Signature | None = None) -> int:
        """Adds each row, or changes the one that has its key, and says so in the trail; those that are as they were
        are left alone. All of it or nothing. Returns how many were added or changed.
        """
        with self._writing() as session:
            return sum([self._keep(session, actor, row, signature) for row in rows])

    def sign(self, subject: str, signature: Signature, what: dict[str, Any]) -> None:
        """An entry that somebody signs what is there already; `what` names its present state, such as its hash."""
        with self._writing() as session:
            self._add(session, signature.by, "signed", subject, None, what, signature)

    def note(self, actor: str, action: str, subject: str, new: dict[str, Any] | None = None) -> None:
        """An entry in the trail for something that changed no row."""
        with self._writing() as session:
            self._add(session, actor, action, subject, None, new)

    @contextmanager
    def asking(self) -> Iterator[Session]:
        """A session to ask questions in: one consistent state, nothing is changed."""
        with Session(self._engine) as session:
            yield session

    def findings(self, *, with_signatures: bool = True) -> list[str]:
        """A sentence for each thing that is wrong with the audit trail."""
        heads = noted_heads(self._heads)  # before the entries: what is added meanwhile must not look cut off
        with self.asking() as session:
            entries = session.scalars(
                sa.select(AuditEntry).order_by(AuditEntry.number).execution_options(yield_per=500)
            )
            return list(findings(entries, heads, self._key if with_signatures else None))

    def head(self) -> Head:
        """The trail's newest entry."""
        with self.asking() as session:
            return _head(session)

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with (
            self._engine.connect().execution_options(writing=True) as connection,
            connection.begin(),
            Session(connection, join_transaction_mode="rollback_only") as session,
        ):
            alone(connection)
            before = _head(session)
            yield session
            session.commit()
            after = _head(session)
        if after != before:
            note_head(self._heads, after)

    def _keep(self, session: Session, actor: str, row: Table, signature: Signature | None) -> bool:
        identity = sa.inspect(type(row)).primary_key_from_instance(row)
        there = session.get(type(row), identity)
        old, new = None if there is None else there.values(), row.values()
        if old == new:
            return False
        session.merge(row)
        subject = f"{row.__tablename__}:{':'.join(map(str, identity))}"
        self._add(session, actor, "added" if old is None else "changed", subject, old, new, signature)
        return True

    def _add(
        self,
        session: Session,
        actor: str,
        action: str,
        subject: str,
        old: dict[str, Any] | None,
        new: dict[str, Any] | None,
        signature: Signature | None = None,
    ) -> None:
        now = self._now_utc().isoformat(timespec="microseconds").replace("+00:00", "Z")
        session.add(entry_after(_head(session), Deed(now, actor, action, subject, old, new), self._key, signature))
        session.flush()


def _head(session: Session) -> Head:
    newest = sa.select(AuditEntry.number, AuditEntry.hash).order_by(AuditEntry.number.desc()).limit(1)
    row = session.execute(newest).first()
    return BEFORE_THE_FIRST if row is None else Head(row.number, row.hash)


@contextmanager
def catalogue(url: str, key: bytes, heads: Path) -> Iterator[Catalogue]:
    """The catalogue for a `with` block. Raises CatalogueUnusable where it cannot be used as it is."""
    with opened(url) as engine:
        require_newest(engine, url)
        yield Catalogue(engine, key, heads)
