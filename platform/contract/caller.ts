/** Who asks. Functions trust it, because it arrives in a signed envelope from the gateway or from another function. */
export interface Caller {
  userId: string
  role: 'user' | 'admin'
}
