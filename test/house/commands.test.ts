import test from 'ava'
import { filesOf, read } from './graph.js'

test('after a command begins to run, its file declares functions alone: anything else is not there yet', (t) => {
  const late = filesOf('.', /\.ts$/)
    .filter((path) => /^(cli|proof)\//.test(path))
    .flatMap((file) => {
      const [, after = ''] = read(file).split(/^await command\(/m)
      return [...after.matchAll(/^(?:export )?(?:const|let|class) (\w+)/gm)].map(([, name]) => `${file}: ${name}`)
    })
  t.deepEqual(late, [])
})
