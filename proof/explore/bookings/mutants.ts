import type { Mutant } from '../mutant.js'

/** The protocol broken on purpose, one rule at a time. */

const ENGINE = 'protocol/engine.ts'
const PARTICIPANT = 'protocol/participant.ts'
const UNDO_ONLY_BY_FIRST = 'hold.clean && hold.epoch === 1 ? voter.undo(b)'

export const BOOKING_MUTANTS: readonly Mutant[] = [
  {
    name: 'no epoch check',
    edits: [
      { file: ENGINE, find: 'guard: { state: b.state, epoch: hold.epoch }', replace: 'guard: { state: b.state }' },
    ],
    shows: { case: 'owner-recovery-poor', faults: [] },
  },
  {
    name: 'tombstones forgotten',
    edits: [{ file: PARTICIPANT, find: '          [tombstones]: { $ne: b._id },\n', replace: '' }],
    shows: { case: 'owner-cancel', faults: [] },
  },
  {
    name: 'active record forgotten in the filter',
    edits: [{ file: PARTICIPANT, find: '          ...notActive(b._id),\n', replace: '' }],
    shows: { case: 'owner-recovery', faults: [] },
  },
  {
    name: 'effects at w:1',
    edits: [
      {
        file: PARTICIPANT,
        find: "guard, change, free }, 'majority')",
        replace: "guard, change, free }, step === 'apply' ? 'local' : 'majority')",
      },
    ],
    shows: { case: 'owner-recovery', faults: ['failover'] },
  },
  {
    name: 'takeover at w:1',
    edits: [
      { file: 'protocol/mongoStore.ts', find: "...concern('majority'),", replace: "...concern('local')," },
      {
        file: 'proof/explore/world.ts',
        find: "operation.kind === 'take' ? 'majority' :",
        replace: "operation.kind === 'take' ? 'local' :",
      },
    ],
    shows: { case: 'owner-recovery-poor', faults: ['failover'] },
  },
  {
    name: 'CANCELLING at w:1',
    edits: [{ file: ENGINE, find: "'CANCELLING', 'majority'", replace: "'CANCELLING', 'local'", times: 3 }],
    shows: { case: 'left-recovery-cancel', faults: ['failover'] },
  },
  {
    name: 'network error taken for a failure',
    edits: [
      {
        file: ENGINE,
        find: 'all(voters, (voter) => voter.apply(b))',
        replace: "all(voters, (voter) => voter.apply(b).catch(() => 'refused' as const))",
      },
    ],
    shows: { case: 'owner-recovery', faults: ['late'] },
  },
  {
    name: 'silent retry in the call layer',
    edits: [
      {
        file: PARTICIPANT,
        find: 'const answer = await send(name)',
        replace: 'const answer = await send(name).catch(() => send(name))',
      },
    ],
    shows: { case: 'owner-recovery-poor', faults: ['late'] },
  },
  {
    name: 'undo after a takeover from oneself',
    edits: [
      { file: ENGINE, find: UNDO_ONLY_BY_FIRST, replace: 'hold.clean ? voter.undo(b)' },
      { file: ENGINE, find: 'epoch: b.epoch, clean: false }', replace: 'epoch: b.epoch }' },
    ],
    shows: { case: 'owner-recovery-poor', faults: ['late'] },
  },
  {
    name: 'undo by a second canceller',
    edits: [
      { file: ENGINE, find: UNDO_ONLY_BY_FIRST, replace: 'hold.clean ? voter.undo(b)' },
      { file: ENGINE, find: '      clean: false,\n', replace: '      clean: cancel !== undefined,\n' },
    ],
    shows: { case: 'owner-cancel', faults: [] },
  },
  {
    name: 'duplicate that goes on at the epoch it read',
    edits: [
      {
        file: ENGINE,
        find: 'const found = await takeOver(id, options.by, options.why, options)',
        replace:
          "const found = await (options.by === 'createBooking' ? store.read(id, 'majority') : takeOver(id, options.by, options.why, options))",
      },
    ],
    shows: { case: 'frozen-attempt-poor', faults: [] },
  },
  {
    name: 'tombstones inside pendingBookings',
    edits: [
      {
        file: PARTICIPANT,
        find: '            $push: { [pending]: r._id },\n            $addToSet: { [tombstones]: { $each: [original, r._id] } },\n',
        replace: '            $addToSet: { [pending]: { $each: [original, r._id] } },\n',
      },
      {
        file: PARTICIPANT,
        find: "      await write('clearOriginal', r, { [pending]: original }, { $pull: { [pending]: original } })\n",
        replace: '',
      },
      {
        file: PARTICIPANT,
        find: "if (has(seen, places.tombstones, b._id)) return 'void'",
        replace: "if (has(seen, places.pending, b._id) && !has(seen, places.active, b._id)) return 'void'",
      },
    ],
    shows: { case: 'reversal-late-apply', faults: [] },
  },
  {
    // Alone it changes nothing: until the decision is majority, marker and active record come and go in the same writes.
    // It is what still holds when a decision is lost after its clears were sent, so that rule falls together with it.
    name: 'void keyed on pendingBookings',
    edits: [
      {
        file: PARTICIPANT,
        find: "          'void',\n          b,\n          active(b._id),",
        replace: "          'void',\n          b,\n          { [pending]: b._id },",
      },
      {
        file: PARTICIPANT,
        find: "write('fence', b, notActive(b._id), {",
        replace: "write('fence', b, { [pending]: { $ne: b._id } }, {",
      },
      { file: ENGINE, find: "'APPLIED', 'majority'", replace: "'APPLIED', 'local'" },
    ],
    shows: { case: 'left-recovery-cancel', faults: ['failover'] },
  },
  {
    name: 'local read after nothing matched',
    edits: [
      { file: 'protocol/mongoStore.ts', find: 'readConcern: durability,', replace: "readConcern: 'local'," },
      {
        file: 'proof/explore/world.ts',
        find: "const local = durability === 'local' ? 1 : 0",
        replace: 'const local = 1',
      },
    ],
    shows: { case: 'owner-recovery', faults: ['failover'] },
  },
  {
    name: 'loser answers from what it saw',
    edits: [
      {
        file: ENGINE,
        find: '    throw new Superseded()\n',
        replace:
          "    if (reason !== undefined) return { ...b, state: 'CANCELLED', reason }\n    throw new Superseded()\n",
      },
    ],
    shows: { case: 'owner-cancel-poor', faults: [] },
  },
  {
    name: 'reversal without tombstones of the original',
    edits: [{ file: PARTICIPANT, find: '{ $each: [original, r._id] }', replace: '{ $each: [r._id] }' }],
    shows: { case: 'reversal-late-apply', faults: [] },
  },
  {
    name: 'reversal that can be cancelled',
    edits: [
      { file: ENGINE, find: 'hold.cancel !== undefined && !b.reverses', replace: 'hold.cancel !== undefined' },
      {
        file: ENGINE,
        find: "why: 'met its reversal', set",
        replace: "why: 'met its reversal', cancel: 'cancelled', set",
      },
    ],
    shows: { case: 'two-reversals', faults: [] },
  },
  {
    name: 'decision before both effects',
    edits: [
      {
        file: ENGINE,
        find: 'const votes = await all(voters, (voter) => voter.apply(b))',
        replace: 'const votes = [await voters.map((voter) => voter.apply(b))[0]]',
      },
    ],
    shows: { case: 'owner-recovery-poor', faults: [] },
  },
  {
    name: 'the end does not wait for receivers',
    edits: [{ file: ENGINE, find: 'await receiveAll(b, receivers)', replace: 'void receiveAll(b, receivers)' }],
    shows: { case: 'two-reversals', faults: [] },
  },
  {
    name: 'no unique index',
    edits: [
      {
        file: 'migrations/bookings/0001-bookings.ts',
        find: 'unique: true, partialFilterExpression: OUTSTANDING',
        replace: 'partialFilterExpression: OUTSTANDING',
      },
    ],
    shows: { case: 'two-bookings', faults: [] },
  },
  {
    name: 'no overlap check',
    edits: [
      {
        file: 'functions/bookings/period.kinds.ts',
        find: "    free: ({ from, to }) => ({ array: 'bookings', period: { from, to } }),\n",
        replace: '',
      },
    ],
    shows: { case: 'hot-car', faults: [] },
  },
  {
    name: 'no capacity check',
    edits: [
      {
        file: 'functions/bookings/kinds/room/room.kind.ts',
        find: "    $expr: { $lt: [mostTakenExpression(booking.nights), '$units'] },\n",
        replace: '',
      },
    ],
    shows: { case: 'hot-room', faults: [] },
  },
  {
    name: 'capacity checked on the first night alone',
    edits: [
      {
        file: 'functions/bookings/kinds/room/room.rules.ts',
        find: "const overlap = nights && { $and: [{ $lt: ['$$each.from', nights.to] }, { $gt: ['$$each.to', nights.from] }] }",
        replace:
          "const overlap = nights && { $and: [{ $lte: ['$$each.from', nights.from] }, { $gt: ['$$each.to', nights.from] }] }",
      },
    ],
    shows: { case: 'hot-room', faults: [] },
  },
  {
    name: 'acknowledged decision at w:1',
    edits: [{ file: ENGINE, find: "'APPLIED', 'majority'", replace: "'APPLIED', 'local'" }],
    shows: { case: 'left-step-cancel', faults: ['failover'] },
  },
  {
    name: 'insert as started at w:1',
    edits: [{ file: ENGINE, find: "store.insert(booking, 'majority')", replace: "store.insert(booking, 'local')" }],
    shows: { case: 'owner-recovery', faults: ['failover'] },
  },
]
