import common, { PROOF } from './ava.config.js'

/** `npm run test:proof`: every crash point, every interleaving, and the guide's examples in copies of the tree. */
export default { ...common, files: PROOF }
