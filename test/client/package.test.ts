import test from 'ava'
import { build } from 'esbuild'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const CLIENT = 'client/src/index.ts'

/** What a browser loads of the client: one script, minified. */
async function bundled() {
  return build({
    entryPoints: [CLIENT],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
  })
}

test('a browser loads less than 25 kB of it, socket.io-client included', async (t) => {
  const { outputFiles } = await bundled()
  const bytes = gzipSync(outputFiles[0]?.contents ?? '').length
  t.log(`${bytes} bytes gzipped`)
  t.true(bytes > 1000 && bytes < 25_000)
})

test('nothing of the server is in it', async (t) => {
  const { metafile } = await bundled()
  const own = Object.keys(metafile.inputs).filter((path) => !path.includes('node_modules'))
  t.deepEqual(
    own.filter((path) => !path.startsWith('client/src/')),
    [],
  )
  const { dependencies } = JSON.parse(readFileSync('client/package.json', 'utf8')) as { dependencies: object }
  t.deepEqual(Object.keys(dependencies), ['socket.io-client'])
})
