"""The command `jwo`. Exit codes: 0 conformant, 1 findings, 2 usage error, 3 the kit itself failed.

Each command imports its modules inside its function, so that `--help` and short commands start fast.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from jwo.catalog_command import catalog
from jwo.errors import Broken, Usage, run, sentence
from jwo.load_command import EPILOG, load_command
from jwo.option_values import open_progress_lines, read_edition, read_profile, read_tiers, replay_commands
from jwo.play_command import play
from jwo.serve_commands import commands as serve_commands
from jwo.shop_command import shop
from jwo_toolkit.extras import PACKAGE
from jwo_toolkit.lifeline import end_with_starter
from jwo_toolkit.own_packages import use_own_packages


class _Commands(TyperGroup):
    """Reports two errors as failures of the kit. Typer would exit with 1 for both, which means findings."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer passes its own context
        """Run the command. Raises Broken if a data stream of the kit ends early."""
        try:
            return super().invoke(ctx)
        except (EOFError, BrokenPipeError) as error:
            raise Broken(sentence(error)) from error


app = typer.Typer(
    cls=_Commands,
    help="Test a Just Walk Out connector. Exit codes: 0 conformant, 1 findings, 2 usage error, 3 kit error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain errors and help: a box folds options and paths at 80 columns
    add_completion=False,
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer's signature
    """Print the version of the kit, and the edition of the documentation that its rules follow."""
    if not asked:
        return
    from importlib.metadata import version

    from jwo_contract.register import newest_edition

    typer.echo(f"jwo {version(PACKAGE)}, rules of the documentation of {newest_edition()}")
    raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Print the version and the edition of the documentation, and exit.",
            show_default="off",
        ),
    ] = False,
) -> None:
    """Read the options of the command `jwo` itself; typer calls this before each command."""


app.add_typer(serve_commands)
app.add_typer(catalog, name="catalog")

ConnectorHelp = "Address of a running connector."
ConnectorOption = Annotated[
    str | None,
    typer.Option("--connector", metavar="URL", help=ConnectorHelp, show_default="the address in the profile"),
]
CertifyConnectorOption = Annotated[
    str | None,
    typer.Option(
        "--connector",
        metavar="URL",
        help=ConnectorHelp,
        show_default="the address in the profile; without a profile, the reference connector",
    ),
]
ProfileOption = Annotated[
    Path | None,
    typer.Option("--profile", metavar="FILE", help="Profile of the connector, a jwo.toml.", show_default="no profile"),
]
ReplayProfileOption = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        metavar="FILE",
        help="Profile of the connector.",
        show_default="jwo.toml; no profile with --connector",
    ),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="ID", help="Run only this case; repeat for more.", show_default="all cases of the tiers"
    ),
]
TierHelp = "Tiers, separated by commas: core, entry, catalog."
TierOption = Annotated[str, typer.Option("--tier", metavar="TIERS", help=TierHelp)]
CertifyTierOption = Annotated[
    str,
    typer.Option("--tier", metavar="TIERS", help=TierHelp, show_default="core; for the reference connector core,entry"),
]
_REFERENCE_TIERS = "core,entry"
"""The default tiers of the reference connector; for any other connector it is the core tier."""
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the reports.")]
ExpectedOption = Annotated[
    Path | None,
    typer.Option(
        "--expected",
        metavar="FILE",
        help="File of known failures, each with a reason; they do not fail the run.",
        show_default="no known failures",
    ),
]
SignOption = Annotated[
    Path | None,
    typer.Option(
        "--sign-key",
        metavar="FILE",
        help="Private ed25519 key (PEM) that signs the certificate.",
        show_default="not signed",
    ),
]
DeepOption = Annotated[
    bool, typer.Option("--deep", help="Search for failing stories for minutes instead of seconds.", show_default="off")
]
StoryOption = Annotated[
    Path | None,
    typer.Option("--story", metavar="FILE", help="File of one story, which jwo certify wrote.", show_default="none"),
]
AllOption = Annotated[bool, typer.Option("--all", help="Print every exchange in full.", show_default="off")]
UnmaskedOption = Annotated[
    bool,
    typer.Option("--unmasked", help="Print real keys and credentials; only on a terminal.", show_default="off"),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Fail also if a SHOULD or a house rule is broken.", show_default="off")
]
RequireCompleteOption = Annotated[
    bool,
    typer.Option("--require-complete", help="Exit 1 also if a MUST of the tiers was not judged.", show_default="off"),
]

EditionOption = Annotated[
    str | None,
    typer.Option(
        "--edition",
        metavar="EDITION",
        help="Edition of Amazon's documentation, such as 2026-02.",
        show_default="the newest",
    ),
]
RunEditionOption = Annotated[
    str | None,
    typer.Option(
        "--edition",
        metavar="EDITION",
        help="Edition of Amazon's documentation that judges, such as 2026-02.",
        show_default="the edition in the profile, or the newest",
    ),
]
ProgressOption = Annotated[
    str | None,
    typer.Option(
        "--progress",
        metavar="FILE",
        help="File for a JSON line with each step of the run; - is standard output, and the text then goes to "
        "standard error.",
        show_default="none",
    ),
]


@app.command(name="certify")
def certify_command(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command line
    connector: CertifyConnectorOption = None,
    profile: ProfileOption = None,
    only: OnlyOption = None,
    tier: CertifyTierOption = "",
    strict: StrictOption = False,  # noqa: FBT002 - a flag of the command line
    require_complete: RequireCompleteOption = False,  # noqa: FBT002 - as above
    deep: DeepOption = False,  # noqa: FBT002 - as above
    out: OutOption = Path("jwo-report"),
    expected: ExpectedOption = None,
    sign_key: SignOption = None,
    edition: RunEditionOption = None,
    progress: ProgressOption = None,
) -> None:
    """Certify a connector. Without --connector and --profile, certify the reference connector in a simulated store."""
    from conformance.dsse import load_private_key
    from conformance.expected import NONE, load
    from conformance.run.configuration import Selection
    from jwo.case_ids import check_ids
    from jwo.certify import Options, certify
    from jwo_toolkit.console import make_console
    from jwo_toolkit.progress_lines import text_stream

    expectations = load(expected) if expected else NONE
    is_embedded = connector is None and profile is None
    declared = None if is_embedded else read_profile(connector, profile)
    chosen = read_edition(edition, declared)
    tiers = read_tiers(tier or (_REFERENCE_TIERS if is_embedded else "core"))
    selection = Selection(tiers, check_ids(only or [], chosen), deep, edition=chosen)
    key = load_private_key(sign_key) if sign_key else None
    console = make_console(text_stream(progress))
    with open_progress_lines(progress) as lines:
        replay = replay_commands(connector, profile, out, edition)
        options = Options(selection, strict, out, expectations, key, require_complete, replay, lines)
        if declared:
            raise typer.Exit(certify(declared, options, console))
        from jwo.demo.run import certify_reference  # boto3 and the servers of the store day: only this run needs them

        raise typer.Exit(certify_reference(options, console))


@app.command()
def cases(tier: TierOption = "core", edition: EditionOption = None) -> None:
    """List the cases without running them."""
    from jwo import listing
    from jwo_toolkit.console import make_console

    listing.show_cases(make_console(), read_tiers(tier), read_edition(edition))


@app.command()
def coverage(tier: TierOption = "core,entry,catalog", edition: EditionOption = None) -> None:
    """Show how each published case is proven, or why it is not."""
    from jwo import listing
    from jwo_toolkit.console import make_console

    raise typer.Exit(listing.show_coverage(make_console(), read_tiers(tier), read_edition(edition)))


@app.command()
def explain(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the case, such as VIK-3.4.")],
    edition: EditionOption = None,
) -> None:
    """Explain a requirement: rule, source, usual cause of a failure."""
    from jwo import listing
    from jwo_toolkit.console import make_console

    listing.explain(make_console(), case_id, read_edition(edition))


@app.command(name="replay")
def replay_command(
    case_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the case, such as VIK-3.4.", show_default="the story's case")
    ] = "",
    connector: ConnectorOption = None,
    profile: ReplayProfileOption = None,
    story: StoryOption = None,
    edition: RunEditionOption = None,
    show_all: AllOption = False,  # noqa: FBT002 - a flag of the command line
    unmasked: UnmaskedOption = False,  # noqa: FBT002 - as above
) -> None:
    """Run one case or story, and print the exchange of the finding first."""
    from conformance.properties.story import case_of
    from jwo import replay
    from jwo.case_ids import check_ids
    from jwo_contract.own_cases import ID as OWN
    from jwo_contract.register import register
    from jwo_toolkit.console import make_console

    if unmasked and not sys.stdout.isatty():
        raise Usage("--unmasked prints keys and credentials, so standard output must be a terminal; omit the option")
    played = replay.story_in(story) if story else ()
    chosen_id = case_of(played) if played and not case_id else case_id
    if not chosen_id or (played and chosen_id != case_of(played)):
        raise Usage("name a case (jwo replay VIK-3.4), a story (jwo replay --story FILE), or a case and its own story")
    is_own = chosen_id.startswith(OWN)
    if not is_own and (edition or chosen_id not in register()):
        check_ids([chosen_id], read_edition(edition))
    file = profile if profile is not None or connector is not None else Path("jwo.toml")
    declared, view = read_profile(connector, file), replay.View(show_all, unmasked)
    if is_own:
        raise typer.Exit(replay.replay_own(declared, chosen_id, make_console(), view))
    judged_by = read_edition(edition, declared)
    check_ids([chosen_id], judged_by)
    raise typer.Exit(replay.replay(declared, chosen_id, make_console(), played, view, judged_by))


@app.command(name="compare")
def compare_command(
    earlier: Annotated[Path, typer.Argument(metavar="A", help="Report of the earlier run, or its folder.")],
    later: Annotated[Path, typer.Argument(metavar="B", help="Report of the later run, or its folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.", show_default="text")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Compare two reports. Exit 1 if a case is newly broken."""
    from jwo import compare
    from jwo_toolkit.console import make_console

    comparison = compare.compare(compare.read(earlier), compare.read(later))
    if as_json:
        print(compare.as_json(comparison))  # noqa: T201 - the command's output
        raise typer.Exit(1 if comparison.newly_broken else 0)
    raise typer.Exit(compare.show(comparison, make_console()))


@app.command(name="verify")
def verify_command(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Folder of a run's report files, or the attestation.json in it."),
    ],
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key",
            metavar="FILE",
            help="Public ed25519 key (PEM) that must match the signature.",
            show_default="the key inside the certificate",
        ),
    ] = None,
) -> None:
    """Verify a certificate offline. Exit 1 if the certificate or a report file was changed."""
    from conformance.dsse import load_public_key
    from jwo import verify
    from jwo_toolkit.console import make_console

    certificate = verify.certificate_at(file)
    verification = verify.verify(certificate, load_public_key(public_key) if public_key else None)
    raise typer.Exit(verify.show(verification, certificate, make_console()))


@app.command()
def init(
    profile: Annotated[Path, typer.Option("--profile", metavar="FILE", help="File to write.")] = Path("jwo.toml"),
    connector: Annotated[
        str, typer.Option("--connector", metavar="URL", help="Address of your connector.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Write a profile for you to fill in. An existing file stays unchanged."""
    from jwo.profile_template import write_template
    from jwo_toolkit.console import make_console

    read_profile(connector, None)  # an address that is not valid must not get into the file
    write_template(profile, connector)
    make_console().print(f"wrote {profile}; fill it in, then run: jwo doctor --profile {profile}", soft_wrap=True)


@app.command(name="doctor")
def doctor_command(
    profile: Annotated[Path, typer.Option("--profile", metavar="FILE", help="Profile to try.")] = Path("jwo.toml"),
) -> None:
    """Try each declaration of a profile, and say what to fix. Exit 1 if one does not work."""
    from jwo.doctor import doctor
    from jwo_contract.profile import load
    from jwo_toolkit.console import make_console

    raise typer.Exit(doctor(load(profile), make_console()))


app.command(name="play")(play)
app.command(name="load", epilog=EPILOG)(load_command)
app.command(name="shop")(shop)


def main() -> None:
    """Run the command line. Every error ends it with an exit code and a sentence, and it leaves no child process."""
    end_with_starter()
    use_own_packages()
    run(app)
