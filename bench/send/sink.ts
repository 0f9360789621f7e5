import { readFileSync, writeFileSync } from 'node:fs'
import { aMailSink } from '../../test/make/mail-sink.ts'
import { answers } from '../parts/child.ts'

/**
 * The mail server of the bench: takes every mail and writes down its Message-ID and address, so that the count does not rest on what the
 * sender believes. `node bench/send/sink.ts FILE`; tells its parent `{ url }` and answers `taken` and `stop`.
 */
const [file = ''] = process.argv.slice(2)
writeFileSync(file, '')
const sink = await aMailSink({ file })
answers(
  { url: sink.url },
  {
    taken() {
      const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
      return Promise.resolve({
        mails: lines.length,
        messageIds: new Set(lines.map((line) => line.split(' ')[0])).size,
        addresses: new Set(lines.map((line) => line.split(' ')[1])).size,
      })
    },
    async stop() {
      await sink.close()
      return {}
    },
  },
)
