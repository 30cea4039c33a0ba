/** What happened, for the sockets of a user: `name` is the event that clients listen to. */
export interface UserNews {
  userId: string
  name: string
  data: Record<string, unknown>
}
