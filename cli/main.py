"""The `edittool` command: finds the subcommand, and turns errors into messages and exit codes."""

import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from types import FrameType

import click

from ..schemas.errors import EdittoolError
from .shared.console import plain, talk
from .shared.exit_codes import DONE, INTERRUPTED, exit_code
from .shared.streams import readers_may_leave

# A command's module is imported only when it is used: judging never pays for, or needs, torch.
COMMANDS = {
    "apply": "Write a model with saved edits as an ordinary checkpoint.",
    "bench": "Build, show and verify benchmarks.",
    "demo": "The whole path on this machine: build, edit, sample, judge, report.",
    "doctor": "Check this machine, and print the fix for whatever is missing.",
    "edit": "Edit a model and sample programs from it.",
    "explain": "Say why one sample got its verdict.",
    "image": "Build and verify the sandbox image.",
    "import": "Turn samples as people publish them into samples.jsonl.",
    "judge": "Run samples in containers of their own and say what each one did.",
    "prompts": "Write what to ask a model: for any engine, or as a batch.",
    "report": "Turn verdicts into tables, figures and a page to explore.",
    "run": "Run one program in a world and show everything about it.",
    "sample": "Sample programs from an OpenAI-compatible server.",
    "stats": "Compute the statistics of a model that MEMIT, PMET and ROME need.",
    "study": "Run a plan: one model, methods and regimes, up to the report.",
}

# Commands that are not in the module of their name, and where they are.
MODULES = {
    "bench": "bench.bench",
    "demo": "studies.demo",
    "import": "import_samples",
    "study": "studies.study",
}


class CommandGroup(click.Group):
    """Loads each subcommand from the module of its name, or the one that MODULES names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command called `cmd_name`."""
        if cmd_name not in COMMANDS:
            return None
        place = MODULES.get(cmd_name, cmd_name)
        command: click.Command = getattr(import_module(f".{place}", __package__), place.rpartition(".")[2])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, so that `--help` imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="edittool")
def cli() -> None:
    """Find out whether model editing taught a code model a new API.

    \b
    edittool demo                                         the whole path, on a tiny model
    edittool judge BENCH samples.jsonl -o verdicts.jsonl  judge samples of any model
    edittool report BENCH verdicts.jsonl -o report        tables, figures, a page
    """


def main() -> None:
    """Run the command line; exit with a code of `exit_codes`."""
    signal.signal(signal.SIGTERM, _interrupt)  # containers are removed on the way out, as for Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # text of a model, on a terminal that lacks its characters
            stream.reconfigure(errors="backslashreplace")
    with readers_may_leave():
        try:
            code = _run()
        except KeyboardInterrupt:  # while it was telling what had happened
            code = INTERRUPTED
        if code == INTERRUPTED:  # it ends: another signal, from one who does not wait, changes nothing of how
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
        sys.exit(code)


def _run() -> int:
    """Run the command line and return its exit code."""
    try:
        return cli.main(standalone_mode=False) or DONE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        what = str(error) or "what was written is kept; give the same command again to go on"
        talk.print(plain(f"interrupted: {what}", style="yellow"), soft_wrap=True)
        return INTERRUPTED
    except EdittoolError as error:
        talk.print(plain(f"error: {error}", style="red"), soft_wrap=True)
        return exit_code(error)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
