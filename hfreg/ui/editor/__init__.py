"""The code editor of the pages, and the coloured difference of two texts.

    text = current_text("model.code", draft.code, rev=draft.rev)
    state = code_editor("model.code", text, label="Scoring logic", rev=draft.rev, markers=findings(text))
    if state.event == "run":
        run(state.text)

Covers: Python with completion of given names, findings marked in the text, Ctrl+Enter and Ctrl+S as events, a plain
text area where the browser part is missing. Does not: keep the text over a page switch (the caller's draft does),
check code, or format it.
"""

from hfreg.ui.editor.component import code_diff, code_editor, current_text
from hfreg.ui.editor.content import Completion, EditorState, Marker

__all__ = ["code_editor", "code_diff", "current_text", "EditorState", "Completion", "Marker"]
