import { runProgram } from './program.js'
import { USER_CALLS } from './userCalls.js'

await runProgram({
  name: 'holdfast-user',
  about: 'Books, pays, meets and writes, as a user of Holdfast.',
  calls: USER_CALLS,
  signUp: true,
})
