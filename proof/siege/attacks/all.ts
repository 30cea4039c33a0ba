import type { Attack } from '../arms.js'
import { CONNECTIONS } from './connections.js'
import { CONTENTS } from './contents.js'
import { OPERATIONS } from './operations.js'

/** Every attack, by its name. */
export const ATTACKS: Record<string, Attack> = { ...CONNECTIONS, ...OPERATIONS, ...CONTENTS }
