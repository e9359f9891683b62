"""Exports: one model of what a session holds (`model`), and a module for each format that writes it.

`export(session, folder, formats)` writes one session; `study.export_study` writes many into one folder.
"""

from recorder.export.session_export import FORMATS, export
from recorder.export.staging import CannotExport

__all__ = ["FORMATS", "CannotExport", "export"]
