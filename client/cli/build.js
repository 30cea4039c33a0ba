import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

/** Makes dist/ of the sources: each program one file, with the client in it. Others may be running it meanwhile. */
export async function makeDist() {
  const { outputFiles } = await build({
    entryPoints: ['admin', 'user'].map((name) => at(`src/${name}.ts`)),
    ...{ bundle: true, platform: 'node', format: 'esm', packages: 'external', outdir: at('dist'), write: false },
  })
  mkdirSync(at('dist'), { recursive: true })
  for (const { path, text } of outputFiles) {
    if (text === present(path)) continue
    writeFileSync(`${path}.${process.pid}`, text)
    renameSync(`${path}.${process.pid}`, path)
  }
}

function present(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await makeDist()
