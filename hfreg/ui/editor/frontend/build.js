// Builds static/editor/editor.js: one minified ES module, its licences beside it, and in its first
// line a digest of what it was made from (tests/test_editor.py compares it with the sources).

import { createHash } from "node:crypto"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { build } from "esbuild"

const TARGET = new URL("../../../../static/editor/", import.meta.url)
const LARGEST = 520 * 1024

function sourceDigest() {
  const sources = readdirSync("src").sort().map((name) => `src/${name}`)
  const hash = createHash("sha256")
  for (const path of [...sources, "build.js", "package-lock.json"]) hash.update(readFileSync(path))
  return hash.digest("hex")
}

function licences(inputs) {
  const packages = new Set(Object.keys(inputs).map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean))
  return [...packages].sort().map((name) => {
    const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`))
    return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`
  }).join(`\n${"-".repeat(80)}\n\n`)
}

const result = await build({
  entryPoints: ["src/main.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  banner: { js: `/* hfreg editor; made by "npm run build" in hfreg/ui/editor/frontend from ${sourceDigest()}; licences: LICENSES.txt */` },
  metafile: true,
  write: false,
})
const code = result.outputFiles[0].contents
if (code.length > LARGEST) throw new Error(`The bundle has ${code.length} bytes; at most ${LARGEST} are allowed.`)
writeFileSync(new URL("editor.js", TARGET), code)
writeFileSync(new URL("LICENSES.txt", TARGET), licences(result.metafile.inputs))
console.log(`editor.js: ${(code.length / 1024).toFixed(1)} KiB`)
