// Colours and type from Streamlit's theme: only --st-* variables, so light, dark and
// a theme of one's own follow without a line here.

import { EditorView } from "@codemirror/view"
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language"
import { tags as t } from "@lezer/highlight"

const tint = (colour, percent) => `color-mix(in srgb, var(${colour}) ${percent}%, transparent)`

// A mixture with the text colour keeps the hue and stays readable on both grounds.
const ink = (colour) => `color-mix(in srgb, var(${colour}) 75%, var(--st-text-color))`

const syntax = HighlightStyle.define([
  { tag: [t.keyword, t.operatorKeyword, t.controlKeyword, t.definitionKeyword, t.moduleKeyword],
    color: ink("--st-violet-text-color"), fontWeight: "600" },
  { tag: [t.string, t.special(t.string)], color: ink("--st-green-text-color") },
  { tag: [t.number, t.bool, t.null], color: ink("--st-orange-text-color") },
  { tag: t.comment, color: ink("--st-gray-text-color"), fontStyle: "italic" },
  { tag: [t.function(t.variableName), t.function(t.propertyName)], color: ink("--st-blue-text-color") },
  { tag: [t.className, t.typeName], color: ink("--st-yellow-text-color") },
  { tag: t.invalid, color: ink("--st-red-text-color") },
])

const base = EditorView.theme({
  "&": { color: "var(--st-text-color)", backgroundColor: "var(--st-background-color)",
         border: "1px solid var(--st-border-color)", borderRadius: "var(--st-base-radius)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "2px solid var(--st-primary-color)", outlineOffset: "-1px" },
  ".cm-scroller": { overflow: "auto" },
  ".cm-content:focus-visible": { outline: "none" },
  ".cm-content, .cm-gutters, .cm-tooltip-autocomplete > ul": { fontFamily: "var(--st-code-font), monospace !important" },
  ".cm-content, .cm-cursor": { caretColor: "var(--st-text-color)", borderLeftColor: "var(--st-text-color)" },
  ".cm-gutters": { backgroundColor: "var(--st-secondary-background-color)", color: ink("--st-gray-text-color"), border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: tint("--st-primary-color", 7) },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: tint("--st-primary-color", 25) },
  ".cm-tooltip, .cm-panels, .cm-panels-bottom": { backgroundColor: "var(--st-secondary-background-color)",
         color: "var(--st-text-color)", border: "1px solid var(--st-border-color)" },
  ".cm-tooltip": { borderRadius: "var(--st-base-radius)", maxWidth: "min(32rem, 90vw)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: tint("--st-primary-color", 25), color: "var(--st-text-color)" },
  ".cm-panels input, .cm-panels button": { color: "var(--st-text-color)", backgroundColor: "var(--st-background-color)",
         backgroundImage: "none", border: "1px solid var(--st-border-color)", borderRadius: "var(--st-base-radius)" },
  ".cm-panel.cm-panel-lint ul [aria-selected], .cm-panel.cm-panel-lint ul:focus [aria-selected]": { backgroundColor: tint("--st-primary-color", 25), color: "var(--st-text-color)" },
  ".cm-foldPlaceholder": { backgroundColor: tint("--st-primary-color", 15), color: "var(--st-text-color)", border: "none" },
})

export const appearance = [base, syntaxHighlighting(syntax)]

export const heights = (least, most) => EditorView.theme({
  ".cm-content, .cm-gutter": { minHeight: `${least}px` },
  ".cm-scroller": { maxHeight: `${most}px` },
})

// CodeMirror's own remainder (search matches, lint panel) comes in two shades: choose by what lies behind.
export function isDark(node) {
  const [red, green, blue] = getComputedStyle(node).backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128
}
