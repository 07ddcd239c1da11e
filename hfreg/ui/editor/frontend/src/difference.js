// Two texts as one read-only view: removed lines above the lines that replaced them,
// unchanged stretches folded. Signs in the margin say it without colour.

import { EditorState, Text } from "@codemirror/state"
import { EditorView, keymap, lineNumbers } from "@codemirror/view"
import { defaultKeymap } from "@codemirror/commands"
import { python } from "@codemirror/lang-python"
import { searchKeymap } from "@codemirror/search"
import { Chunk, unifiedMergeView } from "@codemirror/merge"
import { Frame } from "./frame.js"
import { appearance, heights, isDark } from "./theme.js"

const colours = EditorView.theme({
  "& .cm-changedLine, & .cm-inlineChangedLine": { backgroundColor: "var(--st-green-background-color) !important" },
  "& .cm-deletedChunk": { backgroundColor: "var(--st-red-background-color) !important", paddingLeft: "6px" },
  "& .cm-changedText, & .cm-insertedLine .cm-changedText":
    { background: "color-mix(in srgb, var(--st-green-color) 40%, transparent) !important" },
  "& .cm-deletedChunk .cm-deletedText": { background: "color-mix(in srgb, var(--st-red-color) 40%, transparent) !important" },
  "& .cm-deletedLine, & .cm-deletedLine del, & ins.cm-insertedLine": { textDecoration: "none" },
  ".cm-changeGutter": { width: "1.2em", paddingLeft: "0" },
  "& .cm-changedLineGutter, & .cm-deletedLineGutter": { background: "none !important", textAlign: "center" },
  ".cm-changedLineGutter::before": { content: '"+"', color: "var(--st-green-text-color)" },
  ".cm-deletedLineGutter::before": { content: '"−"', color: "var(--st-red-text-color)" },
  "& .cm-collapsedLines": { background: "var(--st-secondary-background-color)", color: "var(--st-text-color)" },
  "& .cm-collapsedLines::before, & .cm-collapsedLines::after": { content: '"⋯" !important' },
})

export class Difference {
  constructor({ data, parentElement }) {
    this.key = data.key
    this.frame = new Frame(parentElement)
  }

  show({ data }) {
    this.frame.label.textContent = data.label
    const seen = JSON.stringify([data, isDark(this.frame.dom)])
    if (seen !== this.seen) this.draw(data)
    this.seen = seen
  }

  draw({ before, after, label, max_height }) {
    this.view?.destroy()
    const counted = changedLines(before, after)
    this.frame.status.textContent = counted
    this.view = new EditorView({
      parent: this.frame.body,
      state: EditorState.create({ doc: after, extensions: this.extensions(before, `${label}: ${counted}`, max_height) }),
    })
  }

  extensions(before, description, max_height) {
    return [
      lineNumbers(), python(), EditorView.lineWrapping, keymap.of([...searchKeymap, ...defaultKeymap]),
      unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
      appearance, colours, heights(0, max_height), EditorView.darkTheme.of(isDark(this.frame.dom)),
      EditorState.readOnly.of(true), EditorView.editable.of(false),
      EditorView.contentAttributes.of({ "aria-label": description, "aria-readonly": "true", tabindex: "0" }),
    ]
  }

  destroy() {
    this.view?.destroy()
    this.frame.remove()
  }
}

function changedLines(before, after) {
  const [a, b] = [before, after].map((text) => Text.of(text.split(/\r\n?|\n/)))
  const chunks = Chunk.build(a, b)
  if (!chunks.length) return "no difference"
  const removed = chunks.reduce((sum, chunk) => sum + lines(a, chunk.fromA, chunk.toA, chunk.endA), 0)
  const added = chunks.reduce((sum, chunk) => sum + lines(b, chunk.fromB, chunk.toB, chunk.endB), 0)
  return `${added} added, ${removed} removed (lines)`
}

const lines = (doc, from, to, end) => (to > from ? doc.lineAt(end).number - doc.lineAt(from).number + 1 : 0)
