"""Parquet (zstd over differences or split bytes): units and meanings with the fields, the header with the file.

The header is JSON under `tractable`, as is `simulated`. Resolution: whole, as recorded.
"""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from recorder.export.model import ExportedSession, Table

FILES = ("samples.parquet", "events.parquet", "gaps.parquet", "pulls.parquet")
# What has few values is quicker as a dictionary of them.
_REPEATED: Final = ("target_mn", "status")


def write(exported: ExportedSession, folder: Path) -> None:
    """Writes the session's files into the folder, in streamed batches."""
    for table in exported.tables():
        write_table(folder / f"{exported.name}.{table.name}.parquet", table, exported.described(table))


def write_table(path: Path, table: Table, schema: Any) -> None:
    """One table, under the table's schema with the metadata that is to be in the file."""
    with pq.ParquetWriter(path, schema, **layout(schema)) as writer:
        for batch in table.batches():
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))


def layout(schema: Any) -> dict[str, Any]:
    """How each column is stored: whole numbers and times as differences, others split into bytes, the rest by word."""
    encodings = {f.name: _encoding(f.type) for f in schema if _encoding(f.type) and f.name not in _REPEATED}
    repeated = [f.name for f in schema if f.name not in encodings and not pa.types.is_boolean(f.type)]
    return {"compression": "zstd", "use_dictionary": repeated, "column_encoding": encodings}


def _encoding(kind: Any) -> str | None:
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
        return "DELTA_BINARY_PACKED"
    return "BYTE_STREAM_SPLIT" if pa.types.is_floating(kind) else None
