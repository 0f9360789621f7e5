import { notifications } from '@mantine/notifications'
import { useMutation, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { createElement, useRef } from 'react'
import type { AnyRoute, ReplyOf, SentTo } from '../lib/routes/routes.ts'

/** A refusal of the server, as a value that pages can show: what is wrong, and what would pass. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly passes: string
  constructor(status: number, body: { code?: string; detail?: string; passes?: string }) {
    super(body.detail ?? 'The server did not answer as expected.')
    this.status = status
    this.code = body.code ?? 'failure'
    this.passes = body.passes ?? ''
  }
}

function addressOf(route: AnyRoute, sent: { params?: unknown; query?: unknown }): string {
  const params = (sent.params ?? {}) as Record<string, string | number>
  const path = route.path.replace(/:([A-Za-z]+)/g, (_hit, name: string) =>
    encodeURIComponent(String(params[name] ?? '')),
  )
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries((sent.query ?? {}) as Record<string, unknown>))
    if (typeof value === 'string' || typeof value === 'number') query.set(name, String(value))
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}

/** Asks the server by a line of a contract. @throws Problem */
export async function call<R extends AnyRoute>(
  route: R,
  sent: SentTo<R> = {},
  signal?: AbortSignal,
): Promise<ReplyOf<R>> {
  let answer: Response
  try {
    answer = await fetch(addressOf(route, sent), {
      method: route.method,
      headers: { 'x-interlock': '1', ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: sent.body === undefined ? null : JSON.stringify(sent.body),
      credentials: 'same-origin',
      signal: signal ?? null,
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, {
      code: 'away',
      detail: 'The server cannot be reached.',
      passes: 'Check the connection; what you typed is still here.',
    })
  }
  const text = await answer.text()
  // Nothing comes as an empty body.
  const value: unknown = text === '' ? null : JSON.parse(text)
  if (!answer.ok) throw new Problem(answer.status, value ?? {})
  return value as ReplyOf<R>
}

/** What a route answers, kept fresh. @param options.everyMs asks again so often while the page is looked at */
export function useRoute<R extends AnyRoute>(
  route: R,
  sent: SentTo<R> = {},
  options: { enabled?: boolean; everyMs?: number; keep?: boolean } = {},
): UseQueryResult<ReplyOf<R>, Problem> {
  return useQuery<ReplyOf<R>, Problem>({
    queryKey: [route.path, sent.params ?? null, sent.query ?? null, sent.body ?? null],
    queryFn: ({ signal }) => call(route, sent, signal),
    enabled: options.enabled ?? true,
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
    ...(options.keep === true ? { placeholderData: (before) => before } : {}),
  })
}

/** How long Undo is offered. */
const undoMs = 10_000

/**
 * A deed: a button that changes something. Its refusal is shown with what would pass; its success with `done`.
 * @param options.touches beginnings of paths whose answers are no longer true afterwards
 * @param options.undo the deed that takes this one back, offered for ten seconds; undefined where there is none. What has none asks first (SureButton).
 */
export function useDeed<R extends AnyRoute>(
  route: R,
  options: {
    touches: readonly string[]
    done?: string | ((reply: ReplyOf<R>) => string)
    quiet?: readonly string[]
    undo?: (reply: ReplyOf<R>, sent: SentTo<R>) => (() => Promise<unknown>) | undefined
  },
) {
  const client = useQueryClient()
  // A double click is one deed: the same is not asked for again while it is under way.
  const underWay = useRef(new Map<string, Promise<ReplyOf<R>>>())
  const freshen = () =>
    client.invalidateQueries({
      predicate: ({ queryKey }) => options.touches.some((path) => String(queryKey[0]).startsWith(path)),
    })
  return useMutation<ReplyOf<R>, Problem, SentTo<R>>({
    mutationFn(sent) {
      const same = JSON.stringify(sent)
      const already = underWay.current.get(same)
      if (already !== undefined) return already
      const asked = call(route, sent).finally(() => underWay.current.delete(same))
      underWay.current.set(same, asked)
      return asked
    },
    async onSuccess(reply, sent) {
      const says = typeof options.done === 'function' ? options.done(reply) : options.done
      const back = options.undo?.(reply, sent)
      if (back !== undefined)
        offerUndo(says ?? 'Done.', () => {
          back().then(
            () => {
              notifications.show({ message: 'Undone.', withBorder: true })
              return freshen()
            },
            (problem: unknown) => {
              if (problem instanceof Problem) tell(problem)
            },
          )
        })
      else if (says !== undefined) notifications.show({ message: says, withBorder: true })
      await freshen()
    },
    onError(problem) {
      if (options.quiet?.includes(problem.code) !== true) tell(problem)
    },
  })
}

function tell(problem: Problem): void {
  notifications.show({ title: problem.message, message: problem.passes, withBorder: true, autoClose: 9_000 })
}

function offerUndo(says: string, undo: () => void): void {
  const id = notifications.show({
    message: createElement(
      'span',
      { className: 'undo' },
      createElement('span', {}, says),
      createElement(
        'button',
        {
          type: 'button',
          className: 'plain-link',
          onClick() {
            notifications.hide(id)
            undo()
          },
        },
        'Undo',
      ),
    ),
    withBorder: true,
    autoClose: undoMs,
  })
}
