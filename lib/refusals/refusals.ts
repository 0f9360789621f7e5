/**
 * The one table of refusals. A refusal is an answer, not a failure: it says what is wrong and what would pass.
 * `docs/refusals.md` lists the same rows; a test holds the two together. Add a row here before you throw it.
 */
export const refusals = {
  bad_input: {
    status: 400,
    sentence: 'The request does not have the expected form.',
    passes: 'Correct the fields that are named.',
  },
  malformed_json: { status: 400, sentence: 'The body is not JSON.', passes: 'Send one JSON value in UTF-8.' },
  too_deep: { status: 400, sentence: 'The JSON is nested too deeply.', passes: 'Nest at most 32 levels.' },
  too_many_keys: {
    status: 400,
    sentence: 'The JSON has too many keys.',
    passes: 'Send at most 2,000 keys in one event and 400,000 in one body.',
  },
  bad_encoding: {
    status: 400,
    sentence: 'The compressed body cannot be unpacked.',
    passes: 'Send gzip, deflate or br as Content-Encoding says, or no compression.',
  },
  too_large: {
    status: 413,
    sentence: 'The body is too large.',
    passes: 'Send at most 8 MiB and 5,000 events in one request, unpacked.',
  },
  sign_in: {
    status: 401,
    sentence: 'You are not signed in.',
    passes: 'Sign in, or send an API key as "Authorization: Bearer il_…".',
  },
  wrong_credentials: {
    status: 401,
    sentence: 'The e-mail address or the password is not right.',
    passes: 'Try again, or ask an administrator for a new link.',
  },
  too_many_tries: { status: 429, sentence: 'Too many tries.', passes: 'Wait a minute and try again.' },
  unknown_write_key: {
    status: 401,
    sentence: 'No source has this write key.',
    passes: 'Copy the write key from the page of the source. The answer says whether what you sent is parked.',
  },
  bad_signature: {
    status: 401,
    sentence: 'The signature is missing, wrong or too old.',
    passes:
      'Sign with the secret of this webhook, by the scheme that its page names. What you sent is put aside while there is room.',
  },
  too_fast: {
    status: 429,
    sentence: 'This source sends more events than its limit allows.',
    passes: 'Try again after the seconds in Retry-After, or raise the limit of the source.',
  },
  not_allowed: {
    status: 403,
    sentence: 'Your role does not allow this.',
    passes: 'Ask someone who has the role that is named.',
  },
  cross_site: {
    status: 403,
    sentence: 'The request came from another site.',
    passes: 'Use the pages of this server, or an API key.',
  },
  step_up: {
    status: 403,
    sentence: 'This needs a fresh proof that it is you.',
    passes: 'Confirm with your passkey or a code from your authenticator.',
  },
  password_again: {
    status: 403,
    sentence: 'This needs your password once more.',
    passes: 'Say it, then go on within five minutes.',
  },
  not_found: { status: 404, sentence: 'There is no such thing here.', passes: 'Check the address.' },
  wrong_method: {
    status: 405,
    sentence: 'This address does not take this method.',
    passes: 'Use one of the methods in the header Allow.',
  },
  conflict: {
    status: 409,
    sentence: 'Someone changed this in the meantime.',
    passes: 'Load it again and repeat your change.',
  },
  not_now: {
    status: 409,
    sentence: 'This cannot be done in the present state.',
    passes: 'The answer says which state is needed.',
  },
  needs_agreement: {
    status: 409,
    sentence: 'This waits for an agreement.',
    passes: 'The keys that are named, on exactly this content.',
  },
  key_refused: {
    status: 403,
    sentence: 'This key cannot be given by you.',
    passes: 'Someone who neither asked for this nor edited it last, of the side that is named.',
  },
  needs_owners: {
    status: 409,
    sentence: 'The tool has no owner on one of the sides.',
    passes: 'Name an owner in marketing and an owner in IT in the register.',
  },
  does_not_compile: {
    status: 422,
    sentence: 'The content does not compile.',
    passes: 'Correct the line that is named.',
  },
  gone: { status: 410, sentence: 'This link is no longer valid.', passes: 'Ask for a new one.' },
  busy: {
    status: 503,
    sentence: 'The server cannot take this now.',
    passes: 'Try again after the seconds in Retry-After.',
  },
  failure: {
    status: 500,
    sentence: 'Something went wrong on our side; it was logged.',
    passes: 'Try again; if it stays, tell an administrator the request id.',
  },
} as const satisfies Record<string, { status: number; sentence: string; passes: string }>

export type RefusalCode = keyof typeof refusals

/** What a client receives as `application/problem+json` (RFC 9457), the same shape on every route. */
export interface Problem {
  type: string
  title: string
  status: number
  code: RefusalCode
  detail: string
  passes: string
  [extra: string]: unknown
}

/** Thrown to answer no. `because` is the sentence that a person reads; `extra` is machine-readable detail. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly extra: Record<string, unknown>
  constructor(code: RefusalCode, because?: string, extra: Record<string, unknown> = {}) {
    super(because ?? refusals[code].sentence)
    this.name = 'Refusal'
    this.code = code
    this.extra = extra
  }

  get status(): number {
    return refusals[this.code].status
  }

  problem(): Problem {
    const row = refusals[this.code]
    return {
      passes: row.passes,
      ...this.extra,
      type: `/api/docs#${this.code}`,
      title: row.sentence,
      status: row.status,
      code: this.code,
      detail: this.message,
    }
  }
}
