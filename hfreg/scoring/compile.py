"""Compile: scoring logic as a Python function, and its errors told in the user's own lines.

The source becomes the body of a function whose parameters are the arguments, by its syntax tree, so that every
line keeps its number and no name is ever pasted into code. Globals (`names`, imports by `*`, what the code
declares `global`) live as long as the function; arguments do not. Limits, slots and output types are the engine's.
"""

from __future__ import annotations

import builtins as python
import itertools
import linecache
import re
import sys
import traceback
import types
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from hfreg.argument import name_problem
from hfreg.definition import Definition
from hfreg.errors import DefinitionError, causes
from hfreg.scoring.secrets import masked
from hfreg.scoring.syntax import STAR_IMPORT, code_of, function, lines_of, of_initialization, read, refusal, whole_code
from hfreg.values import Finding

MAX_MESSAGE = 2000
MAX_FRAMES = 8

Frame = tuple[str, int, str]
"""The pseudo-file, the line, and the function; that is empty at the top of the initialization logic."""

_numbers = itertools.count(1)
_ABSOLUTE = re.compile(r"(?<![\w:/.])(?:/(?:[\w.+@~ -]*[\w.+@~-]/){2,}|[A-Za-z]:\\(?:[^\\\s'\"]+\\)+)(?=[\w.+@-])")


def compile_logic(
    definition: Definition,
    names: Mapping[str, Any],
    import_: Callable[..., Any],
    builtins: Mapping[str, Any] | None = None,
    label: str | None = None,
) -> Callable[..., Any]:
    """Return the scoring logic as a function of its arguments, by name or in order; runs none of it.

    `names` are its globals (`cache`, the resources), `import_` does its imports, `builtins` replaces some others
    (`print`). `label` stands in tracebacks: `<sentiment_analyzer v1>`. Raises DefinitionError with the line.
    """
    _check_names(definition, names)
    number = next(_numbers)
    filename = f"<{label or definition.alias} #{number}>"
    arguments = [argument.alias for argument in definition.arguments]
    code = code_of(function(read(definition.scoring_logic, filename), definition.alias, arguments), filename)
    initial = _initialization(definition.initialization_logic, filename)
    scope = _scope(f"{definition.alias} #{number}", code)
    scope["__file__"] = filename
    scope["__builtins__"] = {**vars(python), **(builtins or {}), "__import__": import_}
    scope.update(names)
    scope[STAR_IMPORT] = _star_import(scope, filename)
    _show_lines(code, filename, definition.scoring_logic)
    made = types.FunctionType(code, scope, definition.alias)
    if initial is None:
        return made
    _show_lines(initial, initial.co_filename, definition.initialization_logic)
    return Initialized(made, initial)


class Initialized:
    """Scoring logic whose initialization logic runs before its first call, and again after one that failed."""

    def __init__(self, logic: types.FunctionType, initial: types.CodeType) -> None:
        self.__code__ = logic.__code__
        self._logic = logic
        self._initial = initial
        self._begun = False

    def __call__(self, **arguments: Any) -> Any:
        """Run the scoring logic; the names of its initialization are among its globals."""
        if not self._begun:
            exec(self._initial, self._logic.__globals__)  # noqa: S102 - in an engine, as the scoring logic itself
            self._begun = True
        return self._logic(**arguments)


def source_name(logic: Callable[..., Any]) -> str:
    """Return the pseudo-filename under which tracebacks know what `compile_logic` made."""
    code: types.CodeType = logic.__code__
    return code.co_filename


def initialization_name(filename: str) -> str:
    """Return the pseudo-filename of the initialization logic that belongs to that of a scoring logic."""
    return f"{filename.removesuffix('>')} initialization>"


def user_traceback(error: BaseException, filename: str, secrets: Collection[str] = ()) -> tuple[str, int | None]:
    """Tell an error of scoring logic: a sentence, then the user's own lines; and the line where it was raised.

    Only lines of the pseudo-file are shown, long recursions shortened, paths of this machine and secrets cut out.
    """
    frames = _own_frames(error, filename)
    file, raised, _ = frames[-1] if frames else (filename, None, "")
    line = raised if file == filename else None
    where = f" in line {raised}{'' if line else ' of the initialization logic'}" if raised else ""
    message = _message(error, filename, secrets)
    sentence = type(error).__name__ + where + (f": {message}" if message else ".")
    return masked("\n".join([sentence, *_shown(frames, filename)]), secrets), line


def _initialization(source: str, filename: str) -> types.CodeType | None:
    if not source.strip():
        return None
    try:
        return whole_code(read(source, initialization_name(filename)), initialization_name(filename))
    except DefinitionError as error:
        raise refusal(*map(of_initialization, error.findings)) from None


def _check_names(definition: Definition, names: Mapping[str, Any]) -> None:
    aliases = [argument.alias for argument in definition.arguments]
    for name in (definition.alias, *aliases):
        if problem := name_problem(name):
            raise _name_refused(problem)
    for name in aliases:
        if name in names or aliases.count(name) > 1:
            taken = "declared twice" if aliases.count(name) > 1 else "a name the platform gives to scoring logic"
            raise _name_refused(f"The argument `{name}` is {taken}. Give it another name.")


def _name_refused(problem: str) -> DefinitionError:
    finding = Finding("error", "arguments", None, problem)
    return DefinitionError(f"The scoring logic cannot be used. {problem}", [finding])


def _scope(name: str, code: types.CodeType) -> dict[str, Any]:
    """Return the globals of a module known by that name while the code lives: dataclasses and typing look for it."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    weakref.finalize(code, sys.modules.pop, name, None)
    module.__package__ = ""
    return module.__dict__


def _star_import(scope: dict[str, Any], filename: str) -> Callable[[str, int, int], None]:
    def star_import(module: str, level: int, line: int) -> None:
        # An import statement of its own, so that Python does what it always does, through `import_`.
        statement = "\n" * (line - 1) + f"from {'.' * level}{module} import *"
        exec(compile(statement, filename, "exec", dont_inherit=True), scope)  # noqa: S102 - a name and a level, parsed

    return star_import


def _show_lines(code: types.CodeType, filename: str, source: str) -> None:
    lines = [line + "\n" for line in lines_of(source)]
    linecache.cache[filename] = (len(source), None, lines, filename)
    weakref.finalize(code, linecache.cache.pop, filename, None)


def _own_frames(error: BaseException, filename: str) -> list[Frame]:
    """List the user's frames, outermost first; of the cause where the error has none."""
    for one in causes(error):
        if frames := list(_frames(one.__traceback__, filename)):
            return frames
    return []


def _frames(trace: types.TracebackType | None, filename: str) -> Iterator[Frame]:
    for frame, line in traceback.walk_tb(trace):
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file == filename and name != "<module>":  # a star import: its function is there too
            yield file, line, name
        elif file == initialization_name(filename):
            yield file, line, "" if name == "<module>" else name


def _shown(frames: list[Frame], filename: str) -> Iterator[str]:
    half = MAX_FRAMES // 2
    cut = len(frames) - MAX_FRAMES
    for index, (file, line, name) in enumerate(frames):
        if cut > 1 and half <= index < half + cut:
            if index == half:
                yield f"  … {cut} more lines like these"
            continue
        inside = f", in {name}" if index and name else ""
        place = "" if file == filename else "initialization logic, "
        yield f"  {place}line {line}{inside}: {masked(linecache.getline(file, line).strip())[:200]}"


def _message(error: BaseException, filename: str, secrets: Collection[str]) -> str:
    try:
        text = str(error).strip()
    except Exception:  # an exception of the user's own whose __str__ raises
        return ""
    text = masked(text, secrets)  # before it is cut: half a secret has no form
    if len(text) > MAX_MESSAGE:
        text = text[:MAX_MESSAGE] + "…"
    written = "".join([*linecache.getlines(filename), *linecache.getlines(initialization_name(filename))])
    return _ABSOLUTE.sub(lambda found: found[0] if found[0] in written else "…/", text)
