// What the page imports: one function a component kind. Each gets Streamlit's component
// object on every rerun and returns a function that takes the component down.
// The Python half is hfreg/ui/editor/component.py; `data` is written there.

import { CodeEditor } from "./editor.js"
import { Difference } from "./difference.js"

const shownIn = new WeakMap() // parentElement -> the one view drawn in it

function keepOne(Kind) {
  return (component) => {
    const { data, parentElement } = component
    let view = shownIn.get(parentElement)
    if (view && view.key !== data.key) {
      view.destroy()
      view = undefined
    }
    view ??= new Kind(component)
    shownIn.set(parentElement, view)
    view.show(component)
    return () => {
      // Streamlit also calls this for a call that a newer one overtook, in any order: then the view is still wanted.
      if (parentElement.isConnected) return
      view.destroy()
      shownIn.delete(parentElement)
    }
  }
}

export const editor = keepOne(CodeEditor)
export const difference = keepOne(Difference)
