// Findings of Python's check as marks in the text. Lines and columns count from 1, columns in
// characters as Python counts them; the end column is the first one no longer marked.

import { setDiagnostics } from "@codemirror/lint"

export function showMarkers(view, markers) {
  view.dispatch(setDiagnostics(view.state, markers.map((marker) => asDiagnostic(view.state.doc, marker))))
}

function asDiagnostic(doc, { line, col, end_line, end_col, severity, message }) {
  const first = lineAt(doc, line)
  const last = lineAt(doc, end_line ?? line)
  const from = col ? position(first, col) : first.from + first.text.search(/\S|$/)
  const to = end_col ? position(last, end_col) : end_line ? last.to : col ? endOfWord(first, from) : first.to
  return { from, to: Math.max(from, to), severity, message }
}

// A finding may point behind the end ("unexpected end of file"): the last line takes it.
const lineAt = (doc, number) => doc.line(Math.min(Math.max(number, 1), doc.lines))

// CodeMirror counts UTF-16 units, Python code points: an emoji is two of one and one of the other.
const position = (line, col) => line.from + Array.from(line.text).slice(0, col - 1).join("").length

const endOfWord = (line, from) => from + (/^\w+|^./u.exec(line.text.slice(from - line.from))?.[0].length ?? 0)

export function summary(markers) {
  const count = (severity, word) => {
    const n = markers.filter((marker) => marker.severity === severity).length
    return n ? [`${n} ${word}${n === 1 ? "" : "s"}`] : []
  }
  return [...count("error", "error"), ...count("warning", "warning"), ...count("info", "note"), ...count("hint", "hint")].join(", ")
}
