import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const encoded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest()

type Cbor = Buffer | string | number | Map<string | number, Cbor>
function cbor(value: Cbor): Buffer {
  const head = (major: number, size: number) =>
    size < 24
      ? Buffer.from([(major << 5) | size])
      : size < 256
        ? Buffer.from([(major << 5) | 24, size])
        : Buffer.from([(major << 5) | 25, size >> 8, size & 255])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, inner]) => [cbor(key), cbor(inner)])])
}

/** A passkey on a security key of our own: what a browser would answer to `create` and `get` (ES256, no attestation, user verified). */
export function anAuthenticator(origin: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const id = randomBytes(16)
  const party = sha256(new URL(origin).hostname)
  const point = (text: string) => Buffer.from(text, 'base64url')
  const key = cbor(
    new Map<number, Cbor>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, point(x)],
      [-3, point(y)],
    ]),
  )
  const said = (type: string, challenge: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  const about = { id: encoded(id), rawId: encoded(id), type: 'public-key', clientExtensionResults: {} }
  return {
    register(challenge: string): Record<string, unknown> {
      const data = Buffer.concat([
        party,
        Buffer.from([0x45, 0, 0, 0, 0]),
        Buffer.alloc(16),
        Buffer.from([0, 16]),
        id,
        key,
      ])
      const attestation = cbor(
        new Map<string, Cbor>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', data],
        ]),
      )
      return {
        ...about,
        response: {
          clientDataJSON: encoded(said('webauthn.create', challenge)),
          attestationObject: encoded(attestation),
          transports: ['internal'],
        },
      }
    },
    prove(challenge: string): Record<string, unknown> {
      const client = said('webauthn.get', challenge)
      const data = Buffer.concat([party, Buffer.from([0x05, 0, 0, 0, 0])])
      return {
        ...about,
        response: {
          clientDataJSON: encoded(client),
          authenticatorData: encoded(data),
          signature: encoded(sign('sha256', Buffer.concat([data, sha256(client)]), privateKey)),
        },
      }
    },
  }
}
