"""BIDS: a small dataset with a continuous recording (`_physio.tsv.gz` and its JSON) and the events beside it.

BIDS knows a rate and no times: a row for each sample number, and "n/a" in every column of one that never came, so that
nothing is filled in. `t_s` and `time_utc` of each row are its own. Resolution: whole, as recorded.
"""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from recorder.export.model import SAMPLES, ExportedSession, iso_utc, units_of

FILES = ("bids",)
BIDS_VERSION: Final = "1.10.0"
TASK: Final = "traction"
NOT_THERE: Final = "n/a"
GZIP_LEVEL: Final = 3  # 9 takes seven times as long and saves a tenth
_TAB: Final = arrow_csv.WriteOptions(include_header=False, batch_size=8192, delimiter="\t", quoting_style="none")
LABEL_CHARACTERS_MAX: Final = 64  # a file's name has two of them, and may have 255 characters in all
_DIGEST_CHARACTERS: Final = 12
_EVENT_COLUMNS: Final = {
    "onset": {"Description": "time from the first sample, by the device's clock", "Units": "s"},
    "duration": {"Description": "how long it lasted; 0 for a moment", "Units": "s"},
    "trial_type": {"Description": "kind of event; gap: samples that never came"},
    "description": {"Description": "what happened, in the program's own words"},
}


def write(exported: ExportedSession, folder: Path) -> None:
    """Writes a dataset of its own, `<id>.bids`, into the folder."""
    root = folder / f"{exported.name}.bids"
    write_session(exported, root)
    describe_dataset(root, simulated=exported.simulated)


def write_session(exported: ExportedSession, root: Path) -> None:
    """Adds one session to the dataset at `root`, in streamed batches."""
    subject, session = label(exported.patient or exported.name), label(exported.name)
    place = root / f"sub-{subject}" / f"ses-{session}" / "beh"
    place.mkdir(parents=True, exist_ok=True)
    stem = f"sub-{subject}_ses-{session}_task-{TASK}"
    with gzip.open(place / f"{stem}_physio.tsv.gz", "wb", GZIP_LEVEL) as stream:
        for batch in exported.grid_batches():
            arrow_csv.write_csv(_cells(batch), stream, _TAB)
    _write_json(place / f"{stem}_physio.json", _sidecar(exported))
    (place / f"{stem}_events.tsv").write_text(_events(exported), encoding="utf-8")
    _write_json(place / f"{stem}_events.json", _EVENT_COLUMNS)


def describe_dataset(root: Path, *, simulated: bool) -> None:
    """The dataset's own files: what it is, and who is in it."""
    about = {
        "Name": "Traction sessions" + (" (SIMULATED)" if simulated else ""),
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "tractable"}],
    }
    _write_json(root / "dataset_description.json", about)
    subjects = sorted(path.name for path in root.glob("sub-*"))
    (root / "participants.tsv").write_text("\n".join(["participant_id", *subjects, ""]), encoding="utf-8")
    readme = (
        "Force, target and cable of lumbar-traction sessions, one continuous recording for each.\n"
        "A row whose values are n/a is a sample that never came; each such gap is also an event.\n"
    )
    (root / "README").write_text(readme, encoding="utf-8")


def label(name: str) -> str:
    """The name as BIDS takes it: letters and digits alone. A long one is cut, and told apart by a digest."""
    plain = re.sub(r"[^A-Za-z0-9]", "", name) or "X"
    if len(plain) <= LABEL_CHARACTERS_MAX:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return plain[: LABEL_CHARACTERS_MAX - _DIGEST_CHARACTERS] + digest


def _cells(batch: Any) -> Any:
    cells = [pc.fill_null(_text(column), NOT_THERE) for column in batch.columns]
    return pa.record_batch(cells, names=batch.schema.names)


def _text(column: Any) -> Any:
    if pa.types.is_timestamp(column.type):
        return iso_utc(column)
    if pa.types.is_boolean(column.type):
        return pc.cast(pc.cast(column, pa.int8()), pa.string())
    return pc.cast(column, pa.string())


def _sidecar(exported: ExportedSession) -> dict[str, Any]:
    header = exported.header
    columns = {name: {"Description": meaning} | ({"Units": unit} if unit else {}) for name, unit, meaning in _UNITS}
    return {
        "SamplingFrequency": 1 / exported.grid.period_s,
        "StartTime": 0,
        "Columns": [name for name, _unit, _meaning in _UNITS],
        "PhysioType": "generic",
        "DeviceSerialNumber": str(header["table"].get("serial", NOT_THERE)),
        "SoftwareVersions": str(header["versions"].get("tractable", NOT_THERE)),
        "TimeOffSecondsMax": exported.grid.off_s_max,
        "Simulated": exported.simulated,
        "Tractable": header,
        **columns,
    }


_UNITS: Final = units_of(SAMPLES)


def _events(exported: ExportedSession) -> str:
    rows = [(exported.onset_s(e), 0.0, str(e.kind), e.text) for e in exported.events()]
    for gap in exported.gaps():
        at_s, lasted_s = exported.seconds(gap.from_t_us) or 0.0, (gap.to_t_us - gap.from_t_us) / 1e6
        rows.append((at_s, lasted_s, "gap", f"{gap.missing} samples missing"))
    lines = [(f"{at_s:.6f}", f"{lasted_s:.6f}", kind, _plain(text)) for at_s, lasted_s, kind, text in sorted(rows)]
    return "".join("\t".join(line) + "\n" for line in [tuple(_EVENT_COLUMNS), *lines])


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip() or NOT_THERE


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
