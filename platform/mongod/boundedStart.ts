/** So many starts of the embedded mongod within so long are given up: what ends at once would fill the disk with logs. */
const MAX_STARTS = 10
const WITHIN_S = 60
/** Those that come one after the other wait a moment: a port or a disk may be free again. */
const SOON = 3
const PAUSE_S = 2

/** PM2 does not start again what ends with it. */
export const GIVEN_UP = 78

/**
 * Words for /bin/sh that start `command` in the place of the shell, so that PM2 has the process itself, unless it was
 * started too often, or its data are gone. PM2's own bound counts only while an app is young: one that ran for a minute and
 * ends at once from then on is started for ever. `starts` is the file in which starts are counted.
 */
export const boundedStart = (starts: string, dbPath: string, command: readonly string[]): string[] => [
  '-c',
  SCRIPT,
  'mongod',
  starts,
  dbPath,
  ...command,
]

const SCRIPT = `
starts=$1 data=$2
shift 2
give_up() { echo "MongoDB is given up: $1. Mend that, then npm start." >&2; exit ${GIVEN_UP}; }
[ -d "$data" ] || give_up "its data directory $data is gone"
now=$(date +%s)
echo "$now" >>"$starts"
recent() { [ "$(wc -l <"$starts")" -ge "$1" ] && [ $((now - $(tail -n "$1" "$starts" | head -n 1))) -lt ${WITHIN_S} ]; }
recent ${MAX_STARTS + 1} && give_up "it ended ${MAX_STARTS} times within ${WITHIN_S} s; the log beside this one says why"
recent ${SOON} && sleep ${PAUSE_S}
exec "$@"
`
