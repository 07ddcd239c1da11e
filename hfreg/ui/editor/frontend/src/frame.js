// The frame around an editor: its label above, one line of status and key hints below.
// Keys pressed inside are kept from the page's shortcuts.

const STYLE = `
  .frame { container-type: inline-size; font-family: var(--st-font), sans-serif; color: var(--st-text-color);
           background-color: var(--st-background-color); }
  .label { font-size: 0.875rem; margin-bottom: 0.25rem; }
  .foot { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; min-height: 1.5rem;
          margin-top: 0.25rem; font-size: 0.8rem; color: color-mix(in srgb, var(--st-text-color) 75%, transparent); }
  .foot:has(.status:empty):has(.hint:empty) { display: none; }
  .status button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
                   text-decoration: underline; text-underline-offset: 2px; }
  .status button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
  @container (max-width: 480px) { .body .cm-editor .cm-gutters .cm-foldGutter { display: none !important; } }
  @media (pointer: coarse) { .body .cm-editor { font-size: 1rem !important; } }
  @media (pointer: coarse) { .hint { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; } }
`

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children)
  return node
}

export class Frame {
  constructor(parentElement) {
    this.label = element("div", { className: "label" })
    this.body = element("div", { className: "body" })
    this.status = element("span", { className: "status" })
    this.status.setAttribute("aria-live", "polite")
    this.hint = element("span", { className: "hint", id: "hint" })
    this.dom = element("div", { className: "frame" }, element("style", { textContent: STYLE }),
      this.label, this.body, element("div", { className: "foot" }, this.status, this.hint))
    for (const type of ["keydown", "keypress", "keyup"]) this.dom.addEventListener(type, keepInside)
    parentElement.append(this.dom)
  }

  remove() {
    this.dom.remove()
  }
}

// What is typed here is for the editor alone: Ctrl+Enter must not also press a button of the page that
// has it as its shortcut. Escape still reaches the page, to close a dialog.
function keepInside(event) {
  if (event.key !== "Escape") event.stopPropagation()
}
