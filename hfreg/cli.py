"""The command line: `python -m hfreg` or `hfreg`.

Answers go to stdout (`--json` for machines), everything else to stderr. Exit code 0 is done, 1 failed,
2 wrong use. It does nothing that the library does not: each command is a few lines over one registry.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import hfreg
from hfreg import doctor, portable, progress, starters
from hfreg.errors import ArgumentError, HfregError, StoreError
from hfreg.registry import Registry

Command = Callable[[Registry, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        registry = hfreg.open(given.home)
        registry.progress = progress.downloads()
        try:
            command: Command = given.command
            return command(registry, given)
        finally:
            registry.close()
    except HfregError as error:
        print(f"hfreg: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our answer has had enough
        return 1
    except KeyboardInterrupt:
        print("hfreg: stopped", file=sys.stderr)
        return 1


def entry() -> NoReturn:
    """Run as a console script."""
    sys.exit(main())


def _starters(registry: Registry, given: argparse.Namespace) -> int:
    made = starters.register(registry)
    _say(given, [v.alias for v in made], "\n".join(f"registered {v.alias}" for v in made) or "nothing to register")
    return 0


def _models(registry: Registry, given: argparse.Namespace) -> int:
    versions = registry.catalog(given.query, given.state)
    rows = [
        {"alias": v.alias, "version": v.number, "state": v.state, "name": v.definition.title, "author": v.author}
        for v in versions
    ]
    width = max((len(v.alias) for v in versions), default=0)
    text = "\n".join(f"{v.alias:<{width}}  {v.number:>3}  {v.state:<16}  {v.definition.title}" for v in versions)
    _say(given, rows, text or "no models (python -m hfreg starters registers four to begin with)")
    return 0


def _show(registry: Registry, given: argparse.Namespace) -> int:
    version = registry.get(given.alias, given.version)
    _say(given, version.model_dump(mode="json"), _described(version))
    return 0


def _run(registry: Registry, given: argparse.Namespace) -> int:
    version = registry.get(given.alias, given.version)
    named = version.definition.parse_arguments(dict(_pair(text) for text in given.arguments))
    outcome = registry.call(version, (), named, source="cli")
    for text in (outcome.stdout, *(f"warning: {w}\n" for w in outcome.warnings)):
        sys.stderr.write(text)
    value = outcome.result()
    print(json.dumps(value, ensure_ascii=False) if given.json or not isinstance(value, str) else value)
    return 0


def _check(registry: Registry, given: argparse.Namespace) -> int:
    findings = registry.check(portable.load(Path(given.file)))
    rows = [f.model_dump() for f in findings]
    _say(given, rows, "\n".join(map(str, findings)) or "no findings")
    return 1 if any(f.level == "error" for f in findings) else 0


def _export(registry: Registry, given: argparse.Namespace) -> int:
    text = registry.export(given.alias, given.version)
    if given.output:
        try:
            Path(given.output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{given.output} cannot be written: {error.strerror}.") from None
    else:
        sys.stdout.write(text)
    return 0


def _import(registry: Registry, given: argparse.Namespace) -> int:
    version = registry.import_(Path(given.file))
    _say(given, version.model_dump(mode="json"), f"{version.alias} version {version.number}, {version.state}")
    return 0


def _backup(registry: Registry, given: argparse.Namespace) -> int:
    from hfreg.store import backup

    done = backup.backup(registry.settings.home, Path(given.file))
    _say(given, vars_of(done), str(done))
    return 0


def _restore(registry: Registry, given: argparse.Namespace) -> int:
    from hfreg.store import backup

    done = backup.restore(Path(given.file), registry.settings.home, overwrite=given.overwrite)
    _say(given, vars_of(done), str(done))
    return 0


def _cache(registry: Registry, given: argparse.Namespace) -> int:
    from hfreg.hub import cache

    if given.delete:
        freed = cache.delete(given.delete)
        _say(given, {"repo": given.delete, "bytes": freed}, f"{given.delete}: {freed / 1e6:.1f} MB freed")
        return 0
    repos = cache.cached()
    lines = [f"{r.bytes / 1e6:>10.1f} MB  {r.repo}" for r in repos]
    _say(given, [vars_of(r) for r in repos], "\n".join(lines) or "no checkpoints on this disk")
    return 0


def _doctor(registry: Registry, given: argparse.Namespace) -> int:
    checks = doctor.examine(registry)
    lines = [f"{'ok' if c.ok else 'FAIL':<5} {c.name}: {c.finding}" for c in checks]
    _say(given, [vars_of(c) for c in checks], "\n".join(lines))
    return 0 if all(c.ok for c in checks) else 1


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="answer in JSON")
    common.add_argument("--home", help="folder of the registry (default: HFREG_HOME, else ./data)")
    parser = argparse.ArgumentParser(prog="hfreg", description="Register, try, govern and watch Hugging Face models.")
    parser.add_argument("--version", action="version", version=f"hfreg {hfreg.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, *names: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, parents=[common])
        made.set_defaults(command=command)
        for positional in names:
            made.add_argument(positional, metavar=positional.upper())
        return made

    add("starters", _starters, "register the starter models")
    models = add("models", _models, "list the registered models")
    models.add_argument("query", nargs="?", default="", metavar="WORDS", help="words that must all be found")
    models.add_argument("--state", help="only this state, such as Approved")
    show = add("show", _show, "show one model", "alias")
    run = add("run", _run, "call a model: hfreg run ALIAS text='Great' threshold=0.8", "alias")
    run.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="arguments as text; @FILE reads the value")
    add("check", _check, "check a definition file; runs nothing", "file")
    export = add("export", _export, "write a model as a JSON file", "alias")
    export.add_argument("-o", "--output", help="file to write (default: stdout)")
    add("import", _import, "register a definition file as a Draft", "file")
    add("backup", _backup, "write definitions, drafts and calls into one archive; never the token", "file")
    restore = add("restore", _restore, "bring an archive of `backup` back into the home", "file")
    restore.add_argument("--overwrite", action="store_true", help="replace what the home holds")
    cache = add("cache", _cache, "list the checkpoints on this disk, or delete one")
    cache.add_argument("--delete", metavar="REPO", help="delete this repository's files")
    add("doctor", _doctor, "check this installation: home, log, Hub, token, engine, packages")
    for versioned in (show, run, export):
        versioned.add_argument("--number", dest="version", type=int, help="version number (default: newest Approved)")
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ArgumentError(f"{text!r} is no argument. Write name=value, for example text='Great'.")
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ArgumentError(f"`{name}`: the file {value[1:]} cannot be read: {error}.") from None
    return name, value


def _described(version: hfreg.Version) -> str:
    definition = version.definition
    head = f"{version.alias}{definition.signature}\nversion {version.number}, {version.state}, by {version.author}"
    parts = [head, definition.description]
    parts += [f"  {a.alias}: {a.type}{' (optional)' if a.optional else ''}  {a.usage}" for a in definition.arguments]
    parts += [f"pinned {p.repo} at {p.commit}" for p in version.pins]
    return "\n".join([p for p in parts if p] + ["", definition.scoring_logic])


def _say(given: argparse.Namespace, data: Any, text: str) -> None:
    print(json.dumps(data, ensure_ascii=False, default=str, indent=2) if given.json else text)


def vars_of(value: Any) -> dict[str, Any]:
    """Return the fields of a frozen value, for JSON."""
    from dataclasses import asdict

    return asdict(value)
