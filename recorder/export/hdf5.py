"""HDF5: a group for each table, a dataset for each column, with `units` and `description`; the header on the root.

A column of whole numbers that may be absent is stored as float64 with NaN where it is (exact to 2^53); `time_utc` is
text that ends in Z. Resolution: whole, as recorded.
"""

import json
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recorder.export.model import ExportedSession, Table, iso_utc

FILES = ("h5",)
CHUNK_ROWS: Final = 32_768
CACHE_BYTES: Final = 1 << 20  # of each dataset: a chunk, which two batches may share; HDF5's own is eight times as much
_TIME_BYTES: Final = len("2026-03-01T09:30:00.000000Z")


def write(exported: ExportedSession, folder: Path) -> None:
    """Writes one file into the folder, in streamed batches."""
    with h5py.File(folder / f"{exported.name}.h5", "w", rdcc_nbytes=CACHE_BYTES) as file:
        file.attrs["tractable"] = json.dumps(exported.header)
        file.attrs["simulated"] = exported.simulated
        for table in exported.tables():
            _write_table(file.create_group(table.name), table)


def _write_table(group: Any, table: Table) -> None:
    datasets = [_dataset(group, field) for field in table.schema]
    rows = 0
    for batch in table.batches():
        for dataset, column in zip(datasets, batch.columns, strict=True):
            dataset.resize(rows + len(batch), axis=0)
            dataset[rows:] = _values(column, dataset.dtype)
        rows += len(batch)


def _dataset(group: Any, field: Any) -> Any:
    dataset = group.create_dataset(
        field.name,
        shape=(0,),
        maxshape=(None,),
        chunks=(CHUNK_ROWS,),
        dtype=_dtype(field),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
        fletcher32=not pa.types.is_string(field.type),  # HDF5 sums no texts of varying length
    )
    dataset.attrs["units"] = field.metadata[b"unit"].decode()
    dataset.attrs["description"] = field.metadata[b"description"].decode()
    return dataset


def _dtype(field: Any) -> Any:
    if pa.types.is_timestamp(field.type):
        return np.dtype(f"S{_TIME_BYTES}")
    if pa.types.is_string(field.type):
        return h5py.string_dtype()
    if pa.types.is_boolean(field.type):
        return np.dtype(bool)
    return np.dtype("f8" if field.nullable else "i8" if pa.types.is_integer(field.type) else "f8")


def _values(column: Any, dtype: Any) -> Any:
    if pa.types.is_timestamp(column.type):
        texts = iso_utc(column)  # all of one length, one after another
        return np.frombuffer(texts.buffers()[2], dtype, len(texts)) if len(texts) else np.empty(0, dtype)
    if dtype.kind == "f":
        return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
    return column.to_numpy(zero_copy_only=False)
