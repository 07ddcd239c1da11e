// What is offered while typing: the names Python sent (arguments of the definition, first),
// then names of the text itself, then Python's keywords and builtins.

import { autocompletion, ifNotIn } from "@codemirror/autocomplete"
import { globalCompletion, localCompletionSource } from "@codemirror/lang-python"

export function completion(namesFromPython) {
  const given = (context) => {
    const word = context.matchBefore(/[\w.]*/)
    if (!word || (word.from === word.to && !context.explicit)) return null
    return { from: word.from, options: namesFromPython(), validFor: /^[\w.]*$/ }
  }
  const unlessGiven = (source) => (context) => {
    const result = source(context)
    if (!result) return null
    const known = new Set(namesFromPython().map((option) => option.label))
    return { ...result, options: result.options.filter((option) => !known.has(option.label)) }
  }
  return autocompletion({
    override: [ifNotIn(["String", "Comment"], given), unlessGiven(localCompletionSource), unlessGiven(globalCompletion)],
  })
}

export const asOption = ({ label, type, detail, info }) => ({
  label, type, boost: 50, detail: detail || undefined, info: info || undefined,
})
