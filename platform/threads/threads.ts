import { availableParallelism } from 'node:os'
import { parentPort, Worker, workerData } from 'node:worker_threads'

/** Threads that run one program and share its work. */
export interface Threads<Task, Answer> {
  /** As many as there are. */
  count: number
  /** Done by whichever thread is free first. @throws what the thread threw */
  ask(task: Task): Promise<Answer>
  /** Said to each thread, before what is asked next. */
  tell(task: Task): void
  stop(): Promise<void>
}

type Message<Task> = { id: number; task: Task }
type Reply<Answer> = { id: number; answer: Answer } | { id: number; error: unknown }

/**
 * @param program a file that calls `answerTasks`
 * @param data what each thread is given; shared memory in it is shared
 */
export function startThreads<Task, Answer>(
  program: string,
  data: unknown,
  count = availableParallelism(),
): Threads<Task, Answer> {
  const waiting: { task: Task; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = []
  const asked = new Map<number, { resolve: (answer: Answer) => void; reject: (error: unknown) => void }>()
  const idle: Worker[] = []
  let ids = 0
  const next = () => {
    while (idle.length > 0 && waiting.length > 0) {
      const thread = idle.pop()
      const one = waiting.shift()
      if (thread === undefined || one === undefined) return
      const id = (ids += 1)
      asked.set(id, one)
      thread.postMessage({ id, task: one.task } satisfies Message<Task>, [])
    }
  }
  const threads = Array.from({ length: count }, () => {
    const thread = new Worker(program, { workerData: data })
    thread.on('message', (reply: Reply<Answer>) => {
      const one = asked.get(reply.id)
      // Told, not asked: nobody waits for an answer.
      if (one === undefined) return
      asked.delete(reply.id)
      idle.push(thread)
      if ('error' in reply) one.reject(reply.error)
      else one.resolve(reply.answer)
      next()
    })
    const failed = (error: unknown) => {
      for (const one of [...asked.values(), ...waiting]) one.reject(error)
      asked.clear()
      waiting.length = 0
    }
    thread.on('error', failed)
    idle.push(thread)
    return thread
  })
  return {
    count,
    ask: (task) =>
      new Promise((resolve, reject) => {
        waiting.push({ task, resolve, reject })
        next()
      }),
    tell(task) {
      for (const thread of threads) thread.postMessage({ id: 0, task } satisfies Message<Task>, [])
    },
    async stop() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}

/**
 * The other end: makes what answers from the data once, then answers task after task. What both are is agreed between the program and who starts it.
 */
export function answerTasks(make: (data: never) => (task: never) => unknown): void {
  const answer = make(workerData as never)
  parentPort?.on('message', ({ id, task }: Message<never>) => {
    let reply: Reply<unknown>
    try {
      reply = { id, answer: answer(task) }
    } catch (error) {
      reply = { id, error }
    }
    parentPort?.postMessage(reply, [])
  })
}
