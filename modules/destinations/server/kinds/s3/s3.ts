import { AwsClient } from 'aws4fetch'
import { hash } from 'node:crypto'
import { Refusal } from '../../../../../lib/refusals/refusals.ts'
import { EgressError } from '../../../../../platform/egress/egress.ts'
import { retryAfterMs } from '../../backoff.ts'
import { encode, fileName, formatSetting } from '../tables.ts'
import { textOf, type DestinationKind, type Outcome } from '../kind.ts'

const namePattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** The code in an answer of S3, such as `AccessDenied`; nothing else of it is looked at. */
const codeOf = (body: Uint8Array) => /<Code>([A-Za-z]{1,60})<\/Code>/.exec(Buffer.from(body).toString('utf8'))?.[1]

function meaningOf(status: number, code: string | undefined, retryAfter: string | undefined, nowMs: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'taken' }
  const what = code === undefined ? String(status) : `${String(status)} ${code}`
  return { kind: 'later', because: `The store answered ${what}.`, retryAfterMs: retryAfterMs(retryAfter, nowMs) }
}

/** Files in a store that speaks S3: AWS, MinIO, Ceph, Garage and others. Addressed by path, which all of them understand. */
export const s3: DestinationKind = {
  kind: 's3',
  name: 'Files in an S3-compatible store',
  says: 'CSV or Parquet by the hour or the day, as objects whose names are the same when a delivery is tried again.',
  leaves: true,
  frequencies: ['hourly', 'daily'],
  lanes: 1,
  form: [
    {
      name: 'endpoint',
      label: 'Address of the store',
      says: 'Such as https://s3.eu-central-1.amazonaws.com',
      type: 'url',
      required: true,
    },
    {
      name: 'region',
      label: 'Region',
      says: 'As the store calls it.',
      type: 'text',
      required: true,
      start: 'us-east-1',
    },
    { name: 'bucket', label: 'Bucket', says: 'It must exist.', type: 'text', required: true },
    { name: 'prefix', label: 'Folder in the bucket', says: 'May be empty.', type: 'text', required: false },
    formatSetting,
    { name: 'accessKeyId', label: 'Access key', says: 'It needs s3:PutObject only.', type: 'text', required: true },
    {
      name: 'secretAccessKey',
      label: 'Secret key',
      says: 'Kept encrypted, never shown.',
      type: 'secret',
      required: true,
    },
  ],
  batch: () => 5_000,
  address: (settings) =>
    `${textOf(settings, 'endpoint').replace(/\/+$/, '')}/${textOf(settings, 'bucket')}/${textOf(settings, 'prefix')}`,
  check(settings) {
    const endpoint = textOf(settings, 'endpoint')
    if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol) || new URL(endpoint).search !== '')
      throw new Refusal('bad_input', 'The address of the store is an https URL.')
    if (!namePattern.test(textOf(settings, 'bucket')))
      throw new Refusal('bad_input', 'A bucket has 3 to 63 small letters, digits, dots and hyphens.')
    if (!/^([\w=.-]{1,100}\/?){0,10}$/.test(textOf(settings, 'prefix')))
      throw new Refusal('bad_input', 'The folder has letters, digits, “_”, “=”, “.”, “-”, and “/” between.')
  },
  open({ settings, frequency, secret, egress, clock }) {
    const format = textOf(settings, 'format')
    const prefix = textOf(settings, 'prefix').replace(/^\/+|\/+$/g, '')
    return {
      async deliver(events, fields) {
        const [first] = events
        if (first === undefined) return { kind: 'taken' }
        const name = [prefix, fileName(first, frequency, format)].filter((part) => part !== '').join('/')
        const url = `${textOf(settings, 'endpoint').replace(/\/+$/, '')}/${textOf(settings, 'bucket')}/${name
          .split('/')
          .map(encodeURIComponent)
          .join('/')}`
        const body = encode(format, events, fields)
        const client = new AwsClient({
          accessKeyId: textOf(settings, 'accessKeyId'),
          secretAccessKey: secret('secretAccessKey')[0] ?? '',
          service: 's3',
          region: textOf(settings, 'region'),
        })
        const signed = await client.sign(url, {
          method: 'PUT',
          headers: {
            'content-type': format === 'parquet' ? 'application/vnd.apache.parquet' : 'text/csv; charset=utf-8',
            'x-amz-content-sha256': hash('sha256', body, 'hex'),
          },
          aws: {
            datetime: clock
              .now()
              .toISOString()
              .replace(/[:-]|\.\d{3}/g, ''),
            allHeaders: true,
          },
        })
        const headers: Record<string, string> = {}
        signed.headers.forEach((value, key) => {
          headers[key] = value
        })
        try {
          const reply = await egress.send({
            purpose: 's3',
            url: signed.url,
            method: 'PUT',
            headers,
            body,
            timeoutMs: 120_000,
          })
          return meaningOf(reply.status, codeOf(reply.body), reply.headers['retry-after'], clock.ms())
        } catch (error) {
          if (error instanceof EgressError) return { kind: 'later', because: error.message }
          throw error
        }
      },
      close: () => Promise.resolve(),
    }
  },
}
