"""What was delivered, printed for people: the dose receipt and where the record is."""

from pathlib import Path

from rich.console import Console


def print_receipt(session_file: Path, console: Console) -> None:
    """The delivered dose of that session file, and its place."""
    from recorder.dose import dose, receipt_lines
    from recorder.reading import open_session

    with open_session(session_file) as session:
        for line in receipt_lines(dose(session)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"Session file: {session_file}", markup=False, highlight=False, soft_wrap=True)
