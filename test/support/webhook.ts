import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What was POSTed to it; answers these codes in turn, then 200. */
export async function startWebhook(t: { teardown(end: () => void): void }, codes: number[] = []) {
  const posted: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      posted.push(JSON.parse(body) as Record<string, unknown>)
      response.writeHead(codes.shift() ?? 200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`, posted }
}
