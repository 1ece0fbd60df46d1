// What every driver here shares: one JSON object a line, questions out, answers in.
import { createInterface } from 'node:readline'
import { webcrypto } from 'node:crypto'

// Debian 12's Node 18 has these only behind a flag.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

export async function next() {
  const { value, done } = await lines.next()
  if (done) throw new Error('the test went away')
  return JSON.parse(value)
}

export function tell(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

// Ask the person's browser to open an address; where it landed outside of the provider.
export async function open(what, url) {
  tell({ open: what, url: String(url) })
  return (await next()).landed
}

export async function refusal(attempt) {
  try {
    await attempt()
  } catch (error) {
    return error.error ?? String(error)
  }
  return null
}
