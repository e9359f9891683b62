"""Parquet (zstd, byte-stream-split): units and meanings in the fields' metadata, the header in the file's.

The header is JSON under `tractable`, as is `simulated`. Resolution: whole, as recorded.
"""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from recorder.export.model import ExportedSession, Table

FILES = ("samples.parquet", "events.parquet", "gaps.parquet", "pulls.parquet")
# What changes slowly and repeats is smaller and quicker as a dictionary than split into bytes.
_REPEATED: Final = ("target_mn", "status", "current_ma")


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
    """How each column is stored: numbers split into their bytes, texts and what repeats as a dictionary."""
    split = [f.name for f in schema if _is_number(f.type) and f.name not in _REPEATED]
    repeated = [f.name for f in schema if f.name not in split and not pa.types.is_boolean(f.type)]
    return {"compression": "zstd", "use_dictionary": repeated, "use_byte_stream_split": split}


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind))
