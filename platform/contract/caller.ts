/** Who asks. Functions trust it, because it arrives in a signed envelope from the gateway or from another function. */
export interface Caller {
  userId: string
  role: 'user' | 'admin'
  /** Whose token it was; without it the token is of none. */
  sessionId?: string
  /** The API key that it is called with, if any. */
  apiKeyId?: string
}
