"""The `tractable` command. Exits 0 done, 1 refused or failed, 2 wrong usage, 3 not connected, 4 stopped by safety."""

import asyncio
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tractable.cli_catalogue import care_app, catalogue_app
from tractable.cli_shared import DAY, AsJson, DataOption, fail, fail_at, settings_of
from tractable.exit_codes import Exit

app = typer.Typer(
    help="Holds a prescribed lumbar-traction pull behind a hard safety limiter. Not a certified medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
session_app = typer.Typer(help="Run sessions, and look at their records.", no_args_is_help=True)
app.add_typer(session_app, name="session")
prescription_app = typer.Typer(help="Look at a prescription before it is given, and begin one.", no_args_is_help=True)
app.add_typer(prescription_app, name="prescription")
sim_app = typer.Typer(invoke_without_command=True)
app.add_typer(sim_app, name="sim")
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(care_app, name="care")

UnblindOption = Annotated[
    bool, typer.Option("--unblind", help="Show the arm and the forces of a blinded session. Not for who treats.")
]
PortOption = Annotated[Path | None, typer.Option("--port", help="Serial port of the table, such as /dev/ttyACM0.")]
SimSocketOption = Annotated[
    Path | None, typer.Option("--socket", help="The simulated table's socket; found by itself where only one runs.")
]
FaultArgument = Annotated[str, typer.Argument(help="The fault's id, such as SE04; tractable sim faults lists them.")]
SessionArgument = Annotated[str, typer.Argument(help="A session's id, the beginning of one, or a file.")]


def main() -> None:
    """The entry point: what goes wrong in an expected way is a sentence on stderr and an exit code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


@app.command(epilog="Example: tractable demo --once")
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the session, instead of serving until Ctrl-C.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the session file, exports and logs go.")] = Path("demo-data"),
    rig: Annotated[str, typer.Option(help="The simulated table and patient.")] = "nominal",
) -> None:
    """Run everything on this computer: a simulated table, the controller, the dashboard, and one session."""
    from tractable.demo import run_demo

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        fail_at(problem)
    sys.exit(run_demo(folder, once, rig))


@app.command(epilog="Example: tractable table --port /dev/ttyACM0")
def table(port: PortOption = None, data: DataOption = None) -> None:
    """Run the controller at a table, until Ctrl-C."""
    from controller.shell import NoTable
    from firmware_bridge.serial_port import PortUnavailable
    from tractable.table_process import run_table

    _log_to_stderr()
    try:
        asyncio.run(run_table(settings_of(port=port, data_folder=data)))
    except (NoTable, PortUnavailable) as problem:
        fail(str(problem), Exit.NOT_CONNECTED)


@sim_app.callback(epilog="Example: tractable sim --link /tmp/table --cooperative")
def sim(
    context: typer.Context,
    rig: Annotated[str, typer.Option(help="A preset: nominal, nominal_80, soft, stiff, ...")] = "nominal",
    seed: Annotated[int, typer.Option(help="The same seed gives the same patient.")] = 1,
    cooperative: Annotated[
        bool, typer.Option(help="The patient presses the switch now and then before a pull.")
    ] = True,
    link: Annotated[Path | None, typer.Option(help="Make this a link to the pseudo-terminal.")] = None,
    socket: Annotated[
        Path | None, typer.Option(help="Listen here for cues and faults; else in the runtime folder.")
    ] = None,
    data: DataOption = None,
    protocol: Annotated[
        int | None, typer.Option(min=0, max=255, help="Tell the host that the table speaks this protocol.")
    ] = None,
) -> None:
    """Run a simulated table behind a pseudo-terminal, until Ctrl-C; or do something to one that runs."""
    if context.invoked_subcommand is not None:
        return
    from hw_sim.rigs import RigError
    from tractable.sim_process import run_sim

    try:
        run_sim(settings_of(data_folder=data), rig, seed, cooperative, link, socket, protocol)
    except RigError as problem:
        fail(str(problem))
    except OSError as problem:
        fail_at(problem)


@sim_app.command("inject", epilog="Example: tractable sim inject SE04 --on hold --after 3s --with channel=b")
def sim_inject(
    fault: FaultArgument,
    at: Annotated[str | None, typer.Option(help="So long from now, such as 5s.")] = None,
    on: Annotated[
        str | None, typer.Option(help="In that phase: ready, service, take_up, ramp, hold, release, tripped.")
    ] = None,
    after: Annotated[str | None, typer.Option(help="With --on: so long into the phase, such as 3s.")] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("--with", help="A parameter, as name=value; may be given more than once.")
    ] = None,
    socket: SimSocketOption = None,
) -> None:
    """Put a fault into a simulated table that runs: now, at a time, or in a phase."""
    from tractable.sim_commands import inject

    sys.exit(inject(settings_of(), socket, fault, at=at, on=on, after=after, parameters=parameters or []))


@sim_app.command("withdraw", epilog="Example: tractable sim withdraw SE04")
def sim_withdraw(fault: FaultArgument, socket: SimSocketOption = None) -> None:
    """End a fault that is in force at a simulated table that runs."""
    from tractable.sim_commands import withdraw

    sys.exit(withdraw(settings_of(), socket, fault))


@sim_app.command("faults", epilog="Example: tractable sim faults --json")
def sim_faults(socket: SimSocketOption = None, as_json: AsJson = False) -> None:
    """List all faults, and which are in force at the simulated table that runs."""
    from tractable.sim_commands import list_faults

    sys.exit(list_faults(settings_of(), socket, as_json))


@sim_app.command("play", epilog="Example: tractable sim play cough")
def sim_play(
    scenario: Annotated[str, typer.Argument(help="A scenario that comes along, such as cough, or a .toml file.")] = "",
    seed: Annotated[int | None, typer.Option(help="Another patient and line than the scenario's own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play a scenario in virtual time; without a name, list them. Exits 1 where an expectation is not met."""
    from tractable.scenario_command import run

    run(scenario, seed, as_json)


@app.command(epilog="Example: tractable broker")
def broker() -> None:
    """Run a message broker on this computer: mosquitto where it is installed, else an embedded one."""
    from tractable.broker_process import run_broker

    run_broker(settings_of())


@app.command(epilog="Example: tractable dashboard")
def dashboard() -> None:
    """Serve the dashboard of this table, until Ctrl-C."""
    from tractable.dashboard_process import run_dashboard

    run_dashboard(settings_of())


@app.command(epilog="Example: tractable doctor --json")
def doctor(as_json: AsJson = False, port: PortOption = None) -> None:
    """Check port, permissions, broker, disk and clock, and print the settings in force and where each came from."""
    from tractable.doctor import run_doctor

    sys.exit(run_doctor(settings_of(port=port), as_json))


@app.command(epilog="Example: tractable bench sim --seed 7 --json")
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="What to measure; the quick ones without a name.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patient and line.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="A short cut, of those that have one: loop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure, beside baselines of the same run: how well 300 N is held, how fast the stack is simulated, and more."""
    from tractable.benchmarking import run_benchmarks

    sys.exit(run_benchmarks(names or [], seed, as_json, quick))


@app.command(epilog="Example: tractable prove --fault SE04 --phase HOLD --seed 2")
def prove(
    fault: Annotated[list[str] | None, typer.Option(help="Only this one; may be given more than once.")] = None,
    phase: Annotated[str | None, typer.Option(help="Only in this phase: IDLE, READY, RAMP, HOLD, RELEASE.")] = None,
    patient: Annotated[str | None, typer.Option(help="Only on this rig: nominal, nominal_80, soft, stiff, ...")] = None,
    seed: Annotated[int | None, typer.Option(help="Only with this seed, and so the same again.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Every fault once.")] = False,
    write_page: Annotated[bool, typer.Option("--page", help="Write docs/proof.md as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Inject every fault of the catalogue and hold what happens against what must happen; exit 4 when one fails."""
    from tractable.proving import run_proof

    sys.exit(run_proof(fault or [], phase, patient, seed, quick=quick, as_json=as_json, write_page=write_page))


@app.command(epilog="Example: tractable export 20260101 --to csv --to parquet --out exports")
def export(
    sessions: Annotated[list[str] | None, typer.Argument(help="Sessions by id, the beginning of one, or file.")] = None,
    to: Annotated[
        list[str] | None, typer.Option(help="csv, parquet, edf, bids, hdf5, fhir; may be given more than once.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "--folder", help="Where to write.")] = Path("exports"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="Events in the words recorded, which may name somebody.")
    ] = False,
    study: Annotated[
        bool, typer.Option("--study", help="All sessions that fit the options below, in one folder.")
    ] = False,
    table: Annotated[str | None, typer.Option(help="Of a study: only this table, by serial number.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=DAY, help="Of a study: from this day on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Of a study: up to this day, UTC.")] = None,
    mode: Annotated[str | None, typer.Option(help="Of a study: only this mode, such as static.")] = None,
    dose_at_least: Annotated[
        str | None, typer.Option(help="Of a study: at least so long at force, such as 10 min.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Write sessions, or a study of many, in a form that other software opens, without what somebody typed."""
    from tractable.export_command import export_sessions, export_study_command

    if not to:
        raise typer.BadParameter("name at least one of csv, parquet, edf, bids, hdf5, fhir", param_hint="--to")
    if study:
        if sessions or with_texts:
            fail(
                "A study takes all sessions that fit: leave out the sessions' names, and --with-texts.",
                Exit.WRONG_USAGE,
            )
        settings = settings_of(data_folder=data)
        sys.exit(export_study_command(settings, to, out, overwrite, table, since, until, mode, dose_at_least))
    if any(asked is not None for asked in (table, since, until, mode, dose_at_least)):
        fail("--table, --since, --until, --mode and --dose-at-least are for --study.", Exit.WRONG_USAGE)
    sys.exit(export_sessions(settings_of(data_folder=data), sessions or [], to, out, overwrite, with_texts))


@prescription_app.command("preview", epilog="Example: tractable prescription preview examples/intermittent.toml")
def prescription_preview(
    prescription: Annotated[Path, typer.Argument(help="The prescription, TOML or JSON.")],
    as_json: AsJson = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw the plot into this file as well.")] = None,
) -> None:
    """Show the whole force profile, its time and every rule that it breaks; exit 1 when it breaks one."""
    from tractable.prescription_commands import preview

    sys.exit(preview(settings_of(), prescription, as_json, svg))


@prescription_app.command(
    "presets",
    epilog='Example: tractable prescription presets beurskens --body-mass "80 kg" --pseudonym K7-2F41 --by cli',
)
def prescription_presets(
    name: Annotated[str, typer.Argument(help="The preset to print; without one, the list.")] = "",
    body_mass: Annotated[str, typer.Option(help="The patient's, with its unit.")] = "80 kg",
    pseudonym: Annotated[str, typer.Option(help="The patient's.")] = "PATIENT",
    by: Annotated[str, typer.Option(help="Who prescribes.")] = "clinician",
    out: Annotated[Path | None, typer.Option(help="Write it to this new file instead.")] = None,
) -> None:
    """List what studies have given, with the source of each, or write one as a prescription to begin with."""
    from tractable.prescription_commands import presets

    sys.exit(presets(settings_of(), name, body_mass, pseudonym, by, out))


stream_app = typer.Typer(help="Pass on what a table says, live, to other software.", no_args_is_help=True)
app.add_typer(stream_app, name="stream")


@stream_app.command("lsl", epilog="Example: tractable stream lsl")
def stream_lsl() -> None:
    """Pass on force, target and cable of this table as an LSL stream, until Ctrl-C."""
    from tractable.lsl_outlet import run_outlet

    sys.exit(run_outlet(settings_of()))


@session_app.command("run", epilog="Example: tractable session run prescription.toml --port /dev/ttyACM0")
def session_run(
    prescription: Annotated[Path, typer.Argument(help="The prescription, TOML or JSON.")],
    port: PortOption = None,
    data: DataOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Answer the start list and the confirmation, for scripts.")
    ] = False,
    patient: Annotated[
        str | None, typer.Option("--patient", help="The pseudonym as read from the patient; another's is refused.")
    ] = None,
) -> None:
    """Give one session at a table, without a browser. The patient's switch has to be really pressed.

    Keys while it pulls: p pause and go on, l lower by 10 N, r raise by 10 N (y confirms), n and a digit pain, s stop.
    """
    from tractable.headless import run_session

    sys.exit(run_session(settings_of(port=port, data_folder=data), prescription, yes, patient))


@session_app.command("list")
def session_list(data: DataOption = None, as_json: AsJson = False) -> None:
    """List the recorded sessions, the newest first."""
    from tractable.records import list_all

    sys.exit(list_all(settings_of(data_folder=data), as_json))


@session_app.command("show")
def session_show(
    session: SessionArgument,
    data: DataOption = None,
    unblind: UnblindOption = False,
    as_json: AsJson = False,
) -> None:
    """Show what was prescribed, what was delivered and what happened."""
    from tractable.records import show

    sys.exit(show(settings_of(data_folder=data), session, as_json, unblind))


@session_app.command("report", epilog="Example: tractable session report 20260101 --pdf report.pdf")
def session_report(
    session: SessionArgument,
    data: DataOption = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write one page with the plot to this file.")] = None,
    note: Annotated[bool, typer.Option("--note", help="Print a note to paste into the patient's file.")] = False,
    unblind: UnblindOption = False,
    as_json: AsJson = False,
) -> None:
    """Say what was delivered: a receipt, a note to paste, or one page as PDF."""
    from tractable.report_command import report_one

    sys.exit(report_one(settings_of(data_folder=data), session, pdf, as_note=note, as_json=as_json, unblind=unblind))


@session_app.command("replay", epilog="Example: tractable session replay 20260101 --limits other.toml")
def session_replay(
    session: SessionArgument,
    data: DataOption = None,
    limits: Annotated[
        Path | None,
        typer.Option("--limits", help="What these limits of the site would have said: site_ceiling, setpoint_cap, ..."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Step a recorded session again: every verdict must come out as recorded; exit 1 when one does not."""
    from tractable.replay_command import replay_one

    sys.exit(replay_one(settings_of(data_folder=data), session, limits, as_json))


@session_app.command("verify")
def session_verify(
    session: SessionArgument,
    data: DataOption = None,
    as_json: AsJson = False,
    recover: Annotated[
        Path | None, typer.Option("--recover", help="Write what is whole to this new file; the old one is not touched.")
    ] = None,
) -> None:
    """Check that a record is whole and unaltered; exit 1 when it is not."""
    from tractable.records import verify_one

    if recover is not None:
        from tractable.recover_command import recover_one

        sys.exit(recover_one(settings_of(data_folder=data), session, recover, as_json))
    sys.exit(verify_one(settings_of(data_folder=data), session, as_json))
