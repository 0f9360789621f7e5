import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A program of a bench in a process of its own, which is asked for figures over its channel. */
export interface Child<Told> {
  pid: number
  /** What it said when it was ready. */
  told: Told
  /** @throws when it ended before it answered */
  ask<Answer>(what: string): Promise<Answer>
  /** Asks it to end, and waits until it did. */
  stop(): Promise<void>
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): Promise<void>
}

/** @param file a program that tells its parent one object when it is ready, and answers each string with `{ answer }` */
export async function aChild<Told>(file: string, words: readonly string[]): Promise<Child<Told>> {
  const child = fork(file, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const gone = once(child, 'exit')
  const message = () =>
    new Promise<unknown>((resolve, reject) => {
      const ended = (code: number | null, signal: string | null) => {
        reject(new Error(`${file} ended with ${String(signal ?? code)}`))
      }
      child.once('exit', ended)
      child.once('message', (told) => {
        child.off('exit', ended)
        resolve(told)
      })
    })
  const told = (await message()) as Told
  const ask = async <Answer>(what: string): Promise<Answer> => {
    const answer = message()
    child.send(what)
    return ((await answer) as { answer: Answer }).answer
  }
  return {
    pid: child.pid ?? 0,
    told,
    ask,
    async stop() {
      await ask('stop')
      await gone
    },
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** The other side of `aChild`: tells what it is, then answers what it is asked until `stop`. */
export function answers(told: object, asked: Readonly<Record<string, () => Promise<object>>>): void {
  let stopping = false
  process.on('message', (what: string) => {
    if (what === 'stop') stopping = true
    const ask = asked[what]
    if (ask === undefined) return
    void ask().then((answer) => {
      process.send?.({ answer })
      if (what === 'stop') process.disconnect?.()
    })
  })
  // A bench that was stopped leaves nothing running.
  process.once('disconnect', () => {
    if (!stopping) process.exit(1)
  })
  process.send?.(told)
}
