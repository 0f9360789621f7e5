import type { Source } from '../../../modules/sources/contract.ts'
import type { Config } from '../../../platform/config/config.ts'
import { ask, runningServer, type RunningServer } from '../control.ts'
import { serve } from '../main.ts'

/** Speaks to the server that has the data directory; without one, it is started for as long as the work takes. */
export async function withServer<Result>(
  config: Config,
  work: (server: RunningServer) => Promise<Result>,
): Promise<Result> {
  const known = runningServer(config.dataDir)
  const own =
    known === undefined
      ? await serve({ ...config, port: 0 }, { demo: false, pages: false, print: () => undefined })
      : undefined
  try {
    const server = known ?? runningServer(config.dataDir)
    if (server === undefined) throw new Error('The server did not start.')
    return await work(server)
  } finally {
    await own?.app.collect.drained()
    await own?.stop()
  }
}

/** Every source that people made. */
export async function sourcesOf(server: RunningServer): Promise<Source[]> {
  const { sources } = (await ask(server, 'GET', '/api/sources')) as { sources: Source[] }
  return sources.filter((source) => source.kind !== 'internal')
}
