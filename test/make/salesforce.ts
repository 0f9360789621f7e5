import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Answer, Arrived } from './receiver.ts'

/** A record: its system fields, and what else it has. Times are instants with milliseconds. */
export interface SalesforceRecord {
  Id: string
  SystemModstamp: string
  IsDeleted: boolean
  [field: string]: string | number | boolean | null
}
interface Asked {
  fields: string[]
  rows: (withDeleted: boolean) => SalesforceRecord[]
  limit: number
}
interface Job {
  id: string
  operation: 'query' | 'queryAll'
  query: string
  state: string
  looks: number
  errorMessage?: string
  rows: string[][]
}

/**
 * A STAND-IN for Salesforce, written from the public documentation (Bulk API 2.0 and Bulk API Developer Guide, REST API Developer Guide, OAuth 2.0
 * client-credentials flow); it was never compared with Salesforce itself. It covers: the token endpoint and its refusals; sessions that end
 * (401 INVALID_SESSION_ID); the list of objects and their description; `query` for a first look; query jobs with their states, `query` and
 * `queryAll`, INVALID_FIELD and INVALID_TYPE; results in CSV, packed when that is accepted, in pages by `maxRecords` with `Sforce-Locator`
 * (the text `null` on the last) and `Sforce-NumberOfRecords`; abort and delete with the states in which each is allowed. Rows come in an order that
 * has nothing to do with time or Id, and a job sees the rows as they are when it completes, as pieces of a job that runs for long do. Not covered:
 * permissions, formula fields, limits (`refuse` answers in their place).
 */
export function aSalesforce(client: { id: string; secret: string }) {
  const objects = new Map<
    string,
    { fields: { name: string; type: string; nillable: boolean }[]; records: Map<string, SalesforceRecord> }
  >()
  const tokens = new Set<string>()
  const jobs = new Map<string, Job>()
  const sandbox = {
    /** Its own clock. */
    ms: Date.parse('2026-03-01T12:00:00.000Z'),
    /** How often a job is looked at before it is complete. */
    looks: 2,
    /** Where it tells clients to go on. */
    instance: '',
    logins: 0,
    objects,
    jobs,
    /** Of every job that was made, what it was asked. */
    asked: [] as { operation: string; query: string }[],
    /** Answers in the place of Salesforce; undefined: it answers itself. */
    refuse: (_arrived: Arrived): Answer | undefined => undefined,
    /** How every job ends that does not complete. */
    jobsEnd: undefined as { state: 'Failed' | 'Aborted'; errorMessage?: string } | undefined,
    endSessions: () => {
      tokens.clear()
    },
    put(object: string, ...records: SalesforceRecord[]) {
      for (const record of records) objects.get(object)?.records.set(record.Id, record)
    },
    answer(arrived: Arrived): Answer {
      const told = sandbox.refuse(arrived) ?? answer(arrived)
      if (typeof told === 'string') return told
      return { ...told, headers: { date: new Date(sandbox.ms).toUTCString(), ...told.headers } }
    },
  }
  const json = (status: number, body: unknown): Exclude<Answer, string> => ({
    status,
    headers: { 'content-type': 'application/json;charset=UTF-8' },
    body: JSON.stringify(body),
  })
  const refused = (status: number, errorCode: string, message: string) => json(status, [{ errorCode, message }])

  function answer(arrived: Arrived): Answer {
    const url = new URL(arrived.path, 'http://stand-in')
    if (url.pathname === '/services/oauth2/token') return token(new URLSearchParams(arrived.body))
    if (!tokens.has(String(arrived.headers.authorization).replace('Bearer ', '')))
      return refused(401, 'INVALID_SESSION_ID', 'Session expired or invalid')
    const [, version, path = ''] = /^[/]services[/]data[/]v(\d+[.]0)([/].*)$/.exec(url.pathname) ?? []
    if (version === undefined) return refused(404, 'NOT_FOUND', 'The requested resource does not exist')
    const [, object] = /^[/]sobjects[/](\w+)[/]describe$/.exec(path) ?? []
    if (path === '/sobjects') return listed()
    if (object !== undefined) return described(object)
    if (path === '/query') return looked(url.searchParams.get('q') ?? '')
    if (path === '/jobs/query' && arrived.method === 'POST')
      return made(JSON.parse(arrived.body) as { operation: 'query'; query: string })
    const [, id = '', results] = /^[/]jobs[/]query[/](\w+)([/]results)?$/.exec(path) ?? []
    const job = jobs.get(id)
    if (job === undefined) return refused(404, 'NOT_FOUND', 'The requested resource does not exist')
    if (results !== undefined)
      return page(job, url.searchParams, /gzip/.test(String(arrived.headers['accept-encoding'])))
    const open = job.state === 'UploadComplete' || job.state === 'InProgress'
    if (arrived.method === 'PATCH') {
      if (!open) return refused(400, 'INVALIDJOBSTATE', 'Aborting already Completed Job not allowed')
      job.state = 'Aborted'
    } else if (arrived.method === 'DELETE') {
      if (open) return refused(400, 'INVALIDJOBSTATE', 'Job is still in progress')
      jobs.delete(id)
      return { status: 204 }
    } else worked(job)
    return json(200, shown(job))
  }

  function token(form: URLSearchParams): Answer {
    if (form.get('grant_type') !== 'client_credentials')
      return json(400, { error: 'unsupported_grant_type', error_description: 'grant type not supported' })
    if (form.get('client_id') !== client.id)
      return json(400, { error: 'invalid_client_id', error_description: 'client identifier invalid' })
    if (form.get('client_secret') !== client.secret)
      return json(400, { error: 'invalid_client', error_description: 'invalid client credentials' })
    sandbox.logins += 1
    const access = `00D!${String(sandbox.logins)}`
    tokens.add(access)
    return json(200, {
      access_token: access,
      instance_url: sandbox.instance,
      token_type: 'Bearer',
      issued_at: String(sandbox.ms),
    })
  }

  function listed(): Answer {
    const sobjects = [...objects.keys()].map((name) => ({
      name,
      label: name,
      queryable: true,
      deprecatedAndHidden: false,
    }))
    return json(200, {
      encoding: 'UTF-8',
      maxBatchSize: 200,
      sobjects: [...sobjects, { name: 'Hidden', label: '', queryable: false, deprecatedAndHidden: false }],
    })
  }

  function described(name: string): Answer {
    const found = objects.get(name)
    if (found === undefined) return refused(404, 'NOT_FOUND', 'The requested resource does not exist')
    return json(200, { name, queryable: true, fields: found.fields })
  }

  /** Only what this grammar has: a field list, an object, comparisons of one field with an instant. */
  function parsed(soql: string): Exclude<Answer, string> | Asked {
    const [, list = '', name = '', where, limit] =
      /^SELECT ([\w, ]+) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY Id LIMIT (\d+))?$/.exec(soql) ?? []
    const found = objects.get(name)
    if (list === '') return refused(400, 'MALFORMED_QUERY', 'unexpected token')
    if (found === undefined) return refused(400, 'INVALID_TYPE', `sObject type '${name}' is not supported.`)
    const fields = list.split(', ')
    for (const field of fields)
      if (!found.fields.some((one) => one.name === field))
        return refused(
          400,
          'INVALID_FIELD',
          `SELECT ${field}\n       ^\nNo such column '${field}' on entity '${name}'.`,
        )
    const conditions = (where === undefined ? [] : where.split(' AND ')).map((text) => {
      const [, field = '', sign, value = ''] =
        /^(\w+) (>=|<) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z)$/.exec(text) ?? []
      return (record: SalesforceRecord) =>
        sign === '<' ? String(record[field]) < value : sign === '>=' && String(record[field]) >= value
    })
    return {
      fields,
      rows: (withDeleted: boolean) =>
        [...found.records.values()].filter(
          (record) => (withDeleted || !record.IsDeleted) && conditions.every((holds) => holds(record)),
        ),
      limit: Number(limit),
    }
  }

  function looked(soql: string): Answer {
    const asked = parsed(soql)
    if (!('fields' in asked)) return asked
    const rows = asked.rows(false).sort((a, b) => (a.Id < b.Id ? -1 : 1))
    const records = rows.slice(0, asked.limit).map((record) => ({
      attributes: { type: 'sObject' },
      ...Object.fromEntries(asked.fields.map((field) => [field, record[field] ?? null])),
    }))
    return json(200, { totalSize: records.length, done: true, records })
  }

  function made(body: { operation: 'query' | 'queryAll'; query: string }): Answer {
    const asked = parsed(body.query)
    if (!('fields' in asked)) return asked
    sandbox.asked.push(body)
    const id = `750000000000${String(sandbox.asked.length).padStart(6, '0')}`
    const job: Job = { id, ...body, state: 'UploadComplete', looks: 0, rows: [] }
    jobs.set(id, job)
    return json(200, shown(job))
  }

  function worked(job: Job): void {
    if (job.state !== 'UploadComplete' && job.state !== 'InProgress') return
    job.looks += 1
    job.state = 'InProgress'
    if (job.looks < sandbox.looks) return
    if (sandbox.jobsEnd !== undefined) {
      Object.assign(job, sandbox.jobsEnd)
      return
    }
    const asked = parsed(job.query)
    if (!('fields' in asked)) throw new Error('it was asked already')
    const order = (record: SalesforceRecord) => createHash('md5').update(record.Id).digest('hex')
    job.rows = asked
      .rows(job.operation === 'queryAll')
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))
      .map((record) => asked.fields.map((field) => String(record[field] ?? '')))
    job.rows.unshift(asked.fields)
    job.state = 'JobComplete'
  }

  function page(job: Job, query: URLSearchParams, packed: boolean): Answer {
    if (job.state !== 'JobComplete') return refused(400, 'INVALIDJOBSTATE', 'Job is not complete')
    const [head = [], ...rows] = job.rows
    const from = Number(Buffer.from(query.get('locator') ?? '', 'base64').toString())
    const to = from + Number(query.get('maxRecords') ?? 50_000)
    const some = rows.slice(from, to)
    const text = [head, ...some]
      .map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`)
      .join('')
    return {
      status: 200,
      headers: {
        'content-type': 'text/csv;charset=UTF-8',
        'sforce-numberofrecords': String(some.length),
        'sforce-locator': to < rows.length ? Buffer.from(String(to)).toString('base64') : 'null',
        ...(packed ? { 'content-encoding': 'gzip' } : {}),
      },
      body: packed ? gzipSync(text) : text,
    }
  }

  const shown = ({ id, operation, state, errorMessage }: Job) => ({
    id,
    operation,
    state,
    contentType: 'CSV',
    concurrencyMode: 'Parallel',
    ...(errorMessage === undefined ? {} : { errorMessage }),
  })

  return sandbox
}

/** Fields that every object has here, and some more texts. */
export function salesforceFields(...texts: string[]) {
  return [
    { name: 'Id', type: 'id', nillable: false },
    { name: 'IsDeleted', type: 'boolean', nillable: false },
    ...texts.map((name) => ({ name, type: name === 'Email' ? 'email' : 'string', nillable: true })),
    { name: 'MailingAddress', type: 'address', nillable: true },
    { name: 'LastModifiedDate', type: 'datetime', nillable: false },
    { name: 'SystemModstamp', type: 'datetime', nillable: false },
  ]
}
