import { ADMIN_CALLS } from './adminCalls.js'
import { addImport } from './import.js'
import { addExport } from './export.js'
import { runProgram } from './program.js'

await runProgram({
  name: 'holdfast-admin',
  about: 'Looks after a Holdfast: its users, things to book, money, and what is stuck.',
  calls: ADMIN_CALLS,
  signUp: false,
  extend(program, ground) {
    addImport(program, ground)
    addExport(program, ground)
  },
})
