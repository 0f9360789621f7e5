import { detectColumns, detectEncoding, detectFormat } from '../../../../lib/csv/detect.ts'
import { createRecordReader } from '../../../../lib/csv/records.ts'
import { Refusal } from '../../../../lib/refusals/refusals.ts'
import { behindHeader, sampleOf, textOf, type Kind } from './table-file.ts'

/** Anything that is text: lines whose cells a separator parts. */
export const csv: Kind = {
  suits: () => true,
  detect(file) {
    const encoding = detectEncoding(file.head)
    const sample = sampleOf(file, encoding)
    if (sample.includes('\u0000'))
      throw new Refusal('bad_input', 'This is no text file. Save the table as CSV and hand it in again.')
    return Promise.resolve(detectFormat(sample, encoding))
  },
  columns: (file, format) => Promise.resolve(detectColumns(sampleOf(file, format.encoding), format)),
  records(file, format, _names, seen) {
    const reader = createRecordReader(format.delimiter)
    return behindHeader(
      (async function* () {
        for await (const text of textOf(file, format.encoding, seen)) yield reader.push(text)
        yield reader.end()
      })(),
      format.hasHeader,
    )
  },
}
