import { answerTasks } from '../../../platform/threads/threads.ts'
import { matchWork } from './match-work.ts'

answerTasks(matchWork)
