import { createHash, createHmac } from 'node:crypto'
import type { Answer, Arrived } from './receiver.ts'

/**
 * A stand-in for an S3-compatible store: no more of S3 than PUT, but the signature is checked as AWS describes it (Signature Version 4), from the
 * bytes that arrived and by code that shares nothing with the signer. It keeps objects by path, so that a second PUT of a name replaces the first.
 */
export function aStore(keys: { accessKeyId: string; secretAccessKey: string; region: string }) {
  const objects = new Map<string, { body: Buffer; puts: number; type: string }>()
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
  const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

  function trouble(arrived: Arrived): string | undefined {
    const authorization =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
        String(arrived.headers['authorization']),
      )
    if (authorization === null) return 'AccessDenied'
    const [, accessKeyId, day = '', region = '', names = '', signature] = authorization
    if (accessKeyId !== keys.accessKeyId || region !== keys.region) return 'InvalidAccessKeyId'
    if (arrived.headers['x-amz-content-sha256'] !== sha256(arrived.bytes)) return 'XAmzContentSHA256Mismatch'
    const headers = names.split(';').map((name) => `${name}:${String(arrived.headers[name]).trim()}\n`)
    if (!names.split(';').includes('host') || !names.split(';').includes('x-amz-content-sha256')) return 'AccessDenied'
    const request = [arrived.method, arrived.path, '', headers.join(''), names, sha256(arrived.bytes)].join('\n')
    const date = String(arrived.headers['x-amz-date'])
    const toSign = ['AWS4-HMAC-SHA256', date, `${day}/${region}/s3/aws4_request`, sha256(request)].join('\n')
    const key = hmac(hmac(hmac(hmac(`AWS4${keys.secretAccessKey}`, day), region), 's3'), 'aws4_request')
    return hmac(key, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch'
  }

  return {
    objects,
    answer(arrived: Arrived): Answer {
      const code = arrived.method === 'PUT' ? trouble(arrived) : 'MethodNotAllowed'
      if (code !== undefined)
        return { status: 403, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>` }
      const before = objects.get(arrived.path)
      objects.set(arrived.path, {
        body: arrived.bytes,
        puts: (before?.puts ?? 0) + 1,
        type: String(arrived.headers['content-type']),
      })
      return { status: 200, headers: { etag: '"x"' } }
    },
  }
}
