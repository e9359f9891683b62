"""`tractable catalogue` and `tractable care`: the commands over the catalogue, wired to what does them."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tractable.cli_shared import DAY, AsJson, DataOption, settings_of

if TYPE_CHECKING:  # the database's own modules are slow to load
    from recorder.catalogue.care import CareOf

catalogue_app = typer.Typer(help="Ask over many sessions; who did what.", no_args_is_help=True)
care_app = typer.Typer(help="Note episodes of care: outcome scores, the exercise programme.", no_args_is_help=True)

PatientArgument = Annotated[str, typer.Argument(help="The patient, as prescriptions know them: K7-2F41.")]
ExerciseArgument = Annotated[str, typer.Argument(help='What the exercise is called, such as "prone press-up".')]
OnOption = Annotated[datetime | None, typer.Option("--on", formats=DAY, help="The day; today, if not given.")]
ByOption = Annotated[str, typer.Option("--by", help="Who notes it, for the audit trail.")]


@catalogue_app.command("upgrade")
def catalogue_upgrade(data: DataOption = None) -> None:
    """Make the catalogue, or bring it up to this version after a backup."""
    from tractable.catalogue_commands import upgrade_it

    sys.exit(upgrade_it(settings_of(data_folder=data)))


@catalogue_app.command("rebuild")
def catalogue_rebuild(data: DataOption = None, as_json: AsJson = False) -> None:
    """Fill the catalogue from all session files; what is in it already stays as it is."""
    from tractable.catalogue_commands import rebuild_it

    sys.exit(rebuild_it(settings_of(data_folder=data), as_json))


@catalogue_app.command("add")
def catalogue_add(files: Annotated[list[Path], typer.Argument(help="Session files.")], data: DataOption = None) -> None:
    """Put these session files into the catalogue."""
    from tractable.catalogue_commands import add_files

    sys.exit(add_files(settings_of(data_folder=data), files))


@catalogue_app.command("list", epilog="Example: tractable catalogue list --patient K7-2F41 --since 2026-01-01")
def catalogue_list(
    patient: Annotated[str | None, typer.Option(help="As the record knows the patient, or the pseudonym.")] = None,
    since: Annotated[str | None, typer.Option(help="From this day on, such as 2026-01-31.")] = None,
    table: Annotated[int | None, typer.Option(help="The table's serial number.")] = None,
    number: Annotated[int, typer.Option(min=1, help="So many at most.")] = 50,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """List sessions with their dose, the newest first."""
    from tractable.catalogue_commands import list_sessions

    sys.exit(list_sessions(settings_of(data_folder=data), patient, since, table, number, as_json))


@catalogue_app.command("audit", epilog="Example: tractable catalogue audit --json")
def catalogue_audit(
    subject: Annotated[str | None, typer.Option(help="Only what was done to this, such as users:anna.")] = None,
    number: Annotated[int, typer.Option(min=1, help="So many of the newest.")] = 50,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what; old and new values with --json."""
    from tractable.catalogue_commands import audit

    sys.exit(audit(settings_of(data_folder=data), subject, number, as_json))


@catalogue_app.command("sign", epilog="Example: tractable catalogue sign sessions:ID --by anna --meaning reviewed")
def catalogue_sign(
    subject: Annotated[str, typer.Argument(help="What is signed, as the audit trail names it.")],
    by: Annotated[str, typer.Option(help="Who signs.")],
    meaning: Annotated[str, typer.Option(help="What the signature means: prescribed, reviewed, approved, ...")],
    data: DataOption = None,
) -> None:
    """Sign what the audit trail holds of something now, with the site's key."""
    from tractable.catalogue_commands import sign

    sys.exit(sign(settings_of(data_folder=data), subject, by, meaning))


@catalogue_app.command("verify")
def catalogue_verify(
    trail: Annotated[bool, typer.Option("--trail", help="Look at the audit trail only, at no session file.")] = False,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Check that the audit trail is whole and that the session files fit it; exit 1 when not."""
    from tractable.catalogue_commands import verify_it

    sys.exit(verify_it(settings_of(data_folder=data), trail, as_json))


@care_app.command("begin", epilog="Example: tractable care begin K7-2F41 --coding ICD-10 --code M54.16")
def care_begin(
    patient: PatientArgument,
    coding: Annotated[str | None, typer.Option(help="What the code is of, such as ICD-10.")] = None,
    code: Annotated[str | None, typer.Option(help="What the episode is for, such as M54.16.")] = None,
    on: OnOption = None,
    by: ByOption = "clinician",
    data: DataOption = None,
) -> None:
    """Begin an episode of care."""
    from tractable import care_commands as care

    settings = settings_of(data_folder=data)
    sys.exit(care.note(settings, patient, by, lambda of: f"Began {of.begin(care.day(on), coding, code).id}."))


@care_app.command("end")
def care_end(
    patient: PatientArgument, on: OnOption = None, by: ByOption = "clinician", data: DataOption = None
) -> None:
    """End the episode that is open."""
    from tractable import care_commands as care

    sys.exit(care.note(settings_of(data_folder=data), patient, by, lambda of: f"Ended {of.end(care.day(on)).id}."))


@care_app.command("score", epilog="Example: tractable care score K7-2F41 ODI 34")
def care_score(
    patient: PatientArgument,
    instrument: Annotated[str, typer.Argument(help="NPRS, ODI, RMDQ, or another with --max.")],
    score: Annotated[float, typer.Argument(help="From 0 up.")],
    highest: Annotated[float | None, typer.Option("--max", help="The highest score that there is.")] = None,
    session: Annotated[str | None, typer.Option(help="The session in which it was asked.")] = None,
    on: OnOption = None,
    by: ByOption = "clinician",
    data: DataOption = None,
) -> None:
    """Note an outcome score; for the same day again, it is corrected."""
    from tractable import care_commands as care

    def act(of: "CareOf") -> str:
        noted = of.score(instrument, score, care.day(on), highest, session)
        return f"{noted.instrument} {noted.score:g} of {noted.score_max:g} on {noted.measured_on}."

    sys.exit(care.note(settings_of(data_folder=data), patient, by, act))


@care_app.command("exercise", epilog='Example: tractable care exercise K7-2F41 "prone press-up" --times-a-week 7')
def care_exercise(
    patient: PatientArgument,
    name: ExerciseArgument,
    sets: Annotated[int, typer.Option(min=1, max=100)] = 3,
    repetitions: Annotated[int, typer.Option(min=1, max=1000)] = 10,
    times_a_week: Annotated[int, typer.Option(min=1, max=100)] = 7,
    on: OnOption = None,
    by: ByOption = "clinician",
    data: DataOption = None,
) -> None:
    """Put an exercise into the programme, or change how much of it is asked for."""
    from tractable import care_commands as care

    def act(of: "CareOf") -> str:
        asked = of.exercise(name, sets, repetitions, times_a_week, care.day(on))
        return f"{asked.name}: {asked.sets} times {asked.repetitions}, {asked.times_a_week} times a week."

    sys.exit(care.note(settings_of(data_folder=data), patient, by, act))


@care_app.command("done", epilog='Example: tractable care done K7-2F41 "prone press-up" 12')
def care_done(
    patient: PatientArgument,
    name: ExerciseArgument,
    times: Annotated[int, typer.Argument(min=0, max=1000, help="Since the visit before, as the patient says.")],
    on: OnOption = None,
    by: ByOption = "clinician",
    data: DataOption = None,
) -> None:
    """Note how often an exercise was done."""
    from tractable import care_commands as care

    def act(of: "CareOf") -> str:
        return f"{name}: done {of.done(name, times, care.day(on)).times_done} times since the visit before."

    sys.exit(care.note(settings_of(data_folder=data), patient, by, act))


@care_app.command("show")
def care_show(patient: PatientArgument, data: DataOption = None, as_json: AsJson = False) -> None:
    """Show a patient's episodes with their scores and exercises."""
    from tractable import care_commands as care

    sys.exit(care.show(settings_of(data_folder=data), patient, as_json))
