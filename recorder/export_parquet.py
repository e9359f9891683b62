"""Parquet: units and meanings in the fields' metadata, the session's header in the file's (key `tractable`, JSON)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from recorder.export_rows import EXPORT_EVENTS, EXPORT_SAMPLES, described, event_batches, sample_batches
from recorder.reading import Session

FILES = ("samples.parquet", "events.parquet")


def write(session: Session, paths: dict[str, Path]) -> None:
    """Writes the files named in FILES to these paths, in streamed batches."""
    _write(paths["samples.parquet"], described(EXPORT_SAMPLES, session), sample_batches(session))
    _write(paths["events.parquet"], described(EXPORT_EVENTS, session), event_batches(session))


def _write(path: Path, schema: Any, batches: Iterator[Any]) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
