"""The command line: `python -m hfreg` or `hfreg`.

Answers go to stdout (`--json` for machines), everything else to stderr. Exit code 0 is done, 1 failed,
2 wrong use. It does nothing that the library does not: each command is a few lines over one registry.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import hfreg
from hfreg import doctor, portable, starters
from hfreg.cli import checks, evaluate, simulate
from hfreg.cli.words import as_json, failed, file, pairs, say
from hfreg.errors import ArgumentError, HfregError, StoreError
from hfreg.lifecycle import State
from hfreg.registry import Registry

Command = Callable[[Registry, argparse.Namespace], int]

EXAMPLES = """\
examples:
  hfreg starters
  hfreg run sentiment_analyzer text='What a day' threshold=0.8
  hfreg run sentiment_analyzer text=@review.txt > answer.json

Answers go to stdout, everything else to stderr. Exit code 0: done, 1: failed, 2: wrong use."""
EMPTY = """\
Nothing is registered in {0.home} (home from {0.home_from}). Set HFREG_HOME to the folder of your registry, or run \
`python -m hfreg starters`."""
VALUES = """\
Arguments come as text and are read by their types: threshold=0.8, flag=true, labels='["a", "b"]'; `name=` is None.
@FILE takes the value from a file and @- from stdin, without a line end at its end; @@ begins a value with @."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; like argparse, leaves by SystemExit for help and unknown words."""
    given = _given(arguments)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        with closing(hfreg.open(given.home)) as registry:
            command: Command = given.command
            code = command(registry, given)
        sys.stdout.flush()
        return code
    except ArgumentError as error:
        return failed(error, 2)
    except HfregError as error:
        return failed(error)
    except BrokenPipeError:  # whoever read our answer has had enough
        return 1
    except OSError as error:  # such as a full disk under stdout
        return failed(error)
    except KeyboardInterrupt:
        return failed("stopped")


def entry() -> NoReturn:
    """Run as a program: what a terminal cannot show is escaped, and a reader that left is no accident."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main())
    finally:
        try:
            sys.stdout.flush()
        except OSError:  # Python would flush again on its way out, and complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _starters(registry: Registry, given: argparse.Namespace) -> int:
    made = [version.alias for version in starters.register(registry)]
    return say(given, made, [f"registered {alias}" for alias in made], "Every starter model is registered already.")


def _models(registry: Registry, given: argparse.Namespace) -> int:
    versions = registry.catalog(given.query, given.state)
    rows = [
        {"alias": v.alias, "version": v.number, "state": v.state, "name": v.definition.title, "author": v.author}
        for v in versions
    ]
    width = max((len(v.alias) for v in versions), default=0)
    lines = [
        f"{v.alias:<{width}}  {v.number:>3}  {v.state:<16}  {' '.join(v.definition.title.split())}" for v in versions
    ]
    nothing = "No model fits. Leave out words or --state to see all of them."
    return say(given, rows, lines, nothing if registry.definitions.aliases() else EMPTY.format(registry.settings))


def _show(registry: Registry, given: argparse.Namespace) -> int:
    version = registry.get(given.alias, given.number)
    return say(given, version.model_dump(mode="json"), _described(version))


def _run(registry: Registry, given: argparse.Namespace) -> int:
    version = registry.get(given.alias, given.number)
    arguments = version.definition.parse_arguments(pairs(given.arguments), files=True)
    outcome = registry.call(version, (), arguments, source="cli")
    told = [outcome.stdout.removesuffix("\n")] if outcome.stdout else []
    notes = (*([str(outcome.use)] if outcome.use else ()), *outcome.notes)
    told += [f"warning: {text}" for text in outcome.warnings] + [f"note: {text}" for text in notes]
    for text in told:
        print(text, file=sys.stderr)
    value = outcome.result()
    print(value if isinstance(value, str) and not given.json else as_json(value))
    return 0


def _check(registry: Registry, given: argparse.Namespace) -> int:
    findings = registry.check(portable.load(file(given.file)))
    say(given, [finding.model_dump() for finding in findings], [str(finding) for finding in findings], "No findings.")
    return 1 if any(finding.level == "error" for finding in findings) else 0


def _export(registry: Registry, given: argparse.Namespace) -> int:
    text = registry.export(given.alias, given.number)
    if not given.output:
        sys.stdout.write(text)
        return 0
    try:
        Path(given.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{given.output} cannot be written: {error.strerror}.") from None
    print(f"{given.alias} is written to {given.output}", file=sys.stderr)
    return 0


def _import(registry: Registry, given: argparse.Namespace) -> int:
    version = registry.import_(file(given.file))
    return say(given, version.model_dump(mode="json"), [f"{version.alias} version {version.number}, {version.state}"])


def _backup(registry: Registry, given: argparse.Namespace) -> int:
    from hfreg.store.backup import backup

    done = backup(registry.settings.home, Path(given.file))
    return say(given, asdict(done), [f"{given.file}: {done}"])


def _restore(registry: Registry, given: argparse.Namespace) -> int:
    from hfreg.store.backup import restore

    done = restore(Path(given.file), registry.settings.home, overwrite=given.overwrite)
    moved = [f"What was there before is in {done.replaced}"] if done.replaced else []
    return say(given, asdict(done), [f"{registry.settings.home}: {done}", *moved])


def _cache(registry: Registry, given: argparse.Namespace) -> int:
    from hfreg.hub import cache

    if given.delete:
        freed = cache.delete(given.delete)
        return say(given, {"repo": given.delete, "bytes": freed}, [f"{given.delete}: {freed / 1e6:.1f} MB freed"])
    repos = cache.cached()
    lines = [f"{repo.bytes / 1e6:>10.1f} MB  {repo.repo}" for repo in repos]
    return say(given, [asdict(repo) for repo in repos], lines, "No checkpoint is cached on this disk.")


def _doctor(registry: Registry, given: argparse.Namespace) -> int:
    found = doctor.examine(registry, given.repo)
    words = {(True, False): "ok", (True, True): "look"}
    lines = [f"{words.get((c.ok, c.change), 'FAIL'):<5} {c.name}: {c.finding}" for c in found]
    say(given, [asdict(c) for c in found], lines)
    return 0 if all(check.ok for check in found) else 1


def _given(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    given, rest = parser.parse_known_args(arguments)
    if rest and hasattr(given, "arguments") and not any(word.startswith("-") for word in rest):
        given.arguments += rest  # argparse takes no more words after an option that follows the alias
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hfreg",
        description="Register, try, govern and watch Hugging Face models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_common(None, False)],
    )
    parser.add_argument("--version", action="version", version=f"hfreg {hfreg.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, *names: str, epilog: str = "") -> argparse.ArgumentParser:
        # The options work before and after the command; here they have no default, which would undo the former.
        parents, style = [_common(argparse.SUPPRESS, argparse.SUPPRESS)], argparse.RawDescriptionHelpFormatter
        about = text[0].upper() + text[1:] + "."
        made = commands.add_parser(
            name, help=text, description=about, epilog=epilog, formatter_class=style, parents=parents
        )
        made.set_defaults(command=command)
        for positional in names:
            made.add_argument(positional, metavar=positional.upper())
        return made

    _add_commands(add)
    return parser


def _add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    add("starters", _starters, "register the starter models")
    models = add("models", _models, "list the registered models")
    models.add_argument("query", nargs="?", default="", metavar="WORDS", help="words that must all be found")
    models.add_argument("--state", choices=[str(state) for state in State], help="only models in this state")
    show = add("show", _show, "show one model: its arguments, its state and its source", "alias")
    run = add("run", _run, "call a model and print its answer", "alias", epilog=VALUES)
    run.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="arguments as text, such as text='Great'")
    table = add("simulate", simulate.command, "run a table through a model and write what it answers", "alias", "table")
    simulate.add_options(table)
    evaluated = add("evaluate", evaluate.command, "hold a simulation against a column of truth", "simulation")
    evaluate.add_options(evaluated)
    evaluate.add_comparing(add("compare", evaluate.comparing, "hold simulations of one table against each other"))
    checked = add("checks", checks.command, "run the checks of a model; 1 when one is not right", "alias")
    checks.add_options(checked)
    add("check", _check, "check a definition file (- is stdin); runs nothing", "file")
    export = add("export", _export, "write a model as a JSON file that `import` takes", "alias")
    export.add_argument("-o", "--output", metavar="FILE", help="file to write (default: stdout)")
    add("import", _import, "register a definition file (- is stdin) as a Draft", "file")
    add("backup", _backup, "write definitions, drafts and calls into one archive; never the token", "file")
    restore = add("restore", _restore, "bring an archive that `backup` wrote back into the home", "file")
    restore.add_argument("--overwrite", action="store_true", help="set aside what the home holds and put this there")
    cache = add("cache", _cache, "list the checkpoints on this disk, or delete one")
    cache.add_argument("--delete", metavar="REPO", help="delete the files of this repository")
    examined = add("doctor", _doctor, "check this installation: home, log, token, Hub, engine, packages")
    examined.add_argument("--repo", default="", metavar="ID", help="also the token, and whether this repository loads")
    for versioned in (show, run, table, checked, export):
        versioned.add_argument("--number", type=int, help="version number (default: newest Approved, else the Draft)")


def _common(home: str | None, as_json: bool | str) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=as_json, help="answer in JSON")
    text = "folder of the registry (default: HFREG_HOME, else ./data)"
    common.add_argument("--home", metavar="FOLDER", default=home, help=text)
    return common


def _described(version: hfreg.Version) -> list[str]:
    definition = version.definition
    made = f"version {version.number}, {version.state}, by {version.author}"
    head = [f"{version.alias}{definition.signature_text}", made]
    parts = [definition.description] if definition.description else []
    needed = {True: " (optional)", False: ""}
    parts += [f"  {a.alias}: {a.described}{needed[a.optional]}  {a.usage}" for a in definition.arguments]
    parts += [f"pinned {pin.repo} at {pin.commit}" for pin in version.pins]
    return [*head, *parts, "", definition.scoring_logic]
