"""What was delivered, printed for people: the dose receipt and where the record is."""

from pathlib import Path

from rich.console import Console


def print_receipt(session_file: Path, console: Console, *, with_dose: bool = True) -> None:
    """The delivered dose of that session file, and its place; the place alone where nobody may know the dose."""
    from recorder.reading import open_session
    from recorder.report.figures import receipt_lines
    from recorder.report.receipt import receipt

    if with_dose:
        with open_session(session_file) as session:
            for line in receipt_lines(receipt(session)):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"Session file: {session_file}", markup=False, highlight=False, soft_wrap=True)
