import type { Socket } from 'socket.io-client'

/** What users' sockets hear of their bookings. */
export interface News {
  /** Forgets what was heard so far. */
  clear(): void
  /** Ms from commit to socket, of each booking heard of since the last call. */
  take(): number[]
  /** How many bookings it has heard of, each counted once. */
  bookings(): number
}

interface Booking {
  id: string
  state: string
  /** When it became what it is: the time of its commit. */
  lastModified: string
}

/** Listens to these sockets. The clock is the same on both ends, in whole milliseconds. */
export function listenToNews(sockets: readonly Socket[]): News {
  const heard = new Set<string>()
  let latencies: number[] = []
  for (const socket of sockets) {
    socket.on('booking:updated', ({ id, state, lastModified }: Booking) => {
      if (state !== 'COMMITTED' || heard.has(id)) return
      heard.add(id)
      latencies.push(Date.now() - Date.parse(lastModified))
    })
  }
  return {
    clear() {
      heard.clear()
      latencies = []
    },
    take() {
      const taken = latencies
      latencies = []
      return taken
    },
    bookings: () => heard.size,
  }
}
