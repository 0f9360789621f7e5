import type { Trained } from '../../../lib/linkage/training.ts'
import { createWork, type Answer, type Job, type Task } from '../../../lib/linkage/work.ts'

/** A piece of work, or the model by which pairs are weighed from now on. */
export type MatchTask = Task | { do: 'use'; trained: Trained; least: number }
export type MatchAnswer = Answer | { did: 'use' }

/** Does what a run asks for, in its own thread or in another. */
export function matchWork(job: Job): (task: MatchTask) => MatchAnswer {
  let work = createWork(job)
  return (task) => {
    if (task.do !== 'use') return work(task)
    work = createWork(job, { trained: task.trained, least: task.least })
    return { did: 'use' }
  }
}
