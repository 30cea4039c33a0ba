/**
 * May a page of this origin connect? Only browsers send an Origin header; a backend sends none and is let in (it needs a
 * token all the same). With no origins configured: pages served under the gateway's own name, and pages of this machine.
 */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowedOrigins: readonly string[],
): boolean {
  if (origin === undefined) return true
  if (allowedOrigins.length > 0) return allowedOrigins.includes(origin)
  let page: URL
  try {
    page = new URL(origin)
  } catch {
    return false
  }
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return false
  return page.host === host || isLoopback(page.hostname)
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
