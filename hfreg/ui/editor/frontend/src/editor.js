// The code editor. The text belongs to the browser: Python's text is taken only when Python raises
// `rev`, so a rerun never moves the caret or touches the undo history. What was typed is sent after
// a pause, on leaving the field, and before a run or a save. "Leaving" starts when a finger or a
// mouse goes down elsewhere: a tap sends blur and click together, and a page switch must not overtake the text.

import { Annotation, Compartment, EditorState } from "@codemirror/state"
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers,
  tooltips } from "@codemirror/view"
import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands"
import { python } from "@codemirror/lang-python"
import { closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete"
import { lintGutter, lintKeymap, nextDiagnostic } from "@codemirror/lint"
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search"
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language"
import { asOption, completion } from "./completion.js"
import { Frame, element } from "./frame.js"
import { showMarkers, summary } from "./markers.js"
import { appearance, heights, isDark } from "./theme.js"

const fromPython = Annotation.define()
const modifier = /Mac|iP(hone|ad|od)/.test(navigator.platform) ? "⌘" : "Ctrl+"
const KEYS = `Esc then Tab leaves · ${modifier}Enter runs · ${modifier}S saves`

export class CodeEditor {
  constructor({ data, parentElement }) {
    this.key = data.key
    this.rev = data.rev
    this.known = data.value // the text Python has
    this.options = []
    this.markers = ""
    this.timer = null
    this.settings = new Compartment()
    this.frame = new Frame(parentElement)
    this.listening = new AbortController()
    document.addEventListener("pointerdown", (event) => this.pressedAt(event), { capture: true, signal: this.listening.signal })
    this.view = new EditorView({
      parent: this.frame.body,
      state: EditorState.create({ doc: data.value, extensions: this.extensions() }),
    })
  }

  extensions() {
    return [
      lineNumbers(), lintGutter(), foldGutter(), highlightSpecialChars(), history(), drawSelection(), indentOnInput(), indentUnit.of("    "), bracketMatching(), closeBrackets(),
      highlightSelectionMatches(), python(), appearance, tooltips({ position: "fixed" }), completion(() => this.options),
      keymap.of([
        { key: "Mod-Enter", run: () => this.press("run"), preventDefault: true },
        { key: "Mod-s", run: () => this.press("save"), preventDefault: true },
        ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap,
        ...defaultKeymap, indentWithTab,
      ]),
      this.settings.of([]),
      EditorView.updateListener.of((update) => this.changed(update)),
      EditorView.domEventHandlers({ blur: () => this.send() }),
    ]
  }

  get text() {
    return this.view.state.doc.toString()
  }

  changed(update) {
    if (!update.docChanged || update.transactions.some((one) => one.annotation(fromPython))) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.send(), this.debounce)
  }

  pressedAt(event) {
    if (this.timer !== null && !event.composedPath().includes(this.frame.dom)) this.send()
  }

  send() {
    clearTimeout(this.timer)
    this.timer = null
    const text = this.text
    if (text === this.known) return
    this.known = text
    this.setStateValue("document", { rev: this.rev, text })
  }

  // The event carries the text itself: it must not depend on which of two messages Python reads first.
  press(event) {
    this.send()
    this.setTriggerValue("pressed", { event, rev: this.rev, text: this.text })
    return true
  }

  show({ data, setStateValue, setTriggerValue }) {
    Object.assign(this, { setStateValue, setTriggerValue, debounce: data.debounce, options: data.completions.map(asOption) })
    if (data.rev !== this.rev || (data.readonly && data.value !== this.known)) this.take(data)
    this.frame.label.textContent = data.label
    this.frame.hint.textContent = data.readonly ? "" : KEYS
    this.view.dispatch({ effects: this.settings.reconfigure(this.settingsFor(data)) })
    this.mark(data.markers)
  }

  take({ rev, value }) {
    clearTimeout(this.timer)
    this.timer = null
    Object.assign(this, { rev, known: value })
    const { doc, selection } = this.view.state
    this.view.dispatch({
      changes: { from: 0, to: doc.length, insert: value },
      selection: { anchor: Math.min(selection.main.head, this.view.state.toText(value).length) },
      annotations: [fromPython.of(true), isolateHistory.of("full")],
    })
  }

  settingsFor({ label, readonly, min_height, max_height }) {
    return [
      heights(min_height, max_height),
      EditorView.darkTheme.of(isDark(this.frame.dom)),
      EditorState.readOnly.of(readonly),
      EditorView.editable.of(!readonly),
      readonly ? [] : [highlightActiveLine(), highlightActiveLineGutter()],
      EditorView.contentAttributes.of({
        "aria-label": label,
        ...(readonly ? { tabindex: "0", "aria-readonly": "true" } : { "aria-describedby": this.frame.hint.id }),
      }),
    ]
  }

  // Marks belong to the text Python checked; while more is typed they would sit in the wrong place.
  mark(markers) {
    const seen = JSON.stringify([this.known, markers])
    if (this.timer !== null || seen === this.markers) return
    this.markers = seen
    showMarkers(this.view, markers)
    const go = () => { this.view.focus(); nextDiagnostic(this.view) }
    this.frame.status.replaceChildren(...(markers.length
      ? [element("button", { type: "button", title: "Go to the next finding (F8)", textContent: summary(markers), onclick: go })]
      : []))
  }

  destroy() {
    clearTimeout(this.timer)
    this.listening.abort()
    this.view.destroy()
    this.frame.remove()
  }
}
