import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createTcp, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isPublic } from './addresses.ts'
import { EgressError, type Egress, type EgressFault } from './egress.ts'
import { createEgress, type EgressNeeds } from './open-egress.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function listen(server: Server & { closeAllConnections?: () => void }) {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  closing.push(() => {
    server.closeAllConnections?.()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
const serve = (listener: RequestListener) => listen(createHttp(listener))
function egressWith(needs: EgressNeeds = {}): Egress {
  const egress = createEgress(needs)
  closing.push(() => egress.close())
  return egress
}
async function faultOf(work: Promise<unknown>): Promise<EgressFault | 'none'> {
  try {
    await work
    return 'none'
  } catch (error) {
    if (error instanceof EgressError) return error.fault
    throw error
  }
}

describe('the way out', () => {
  const inside = [
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://0/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::7f00:1]/',
    'https://[::ffff:0:127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:7f00:1::]/',
    'https://[fec0::1]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://198.18.0.1/',
    'https://255.255.255.255/',
    'https://１２７.0.0.1/',
  ]
  it.each(inside)('H01 H06 does not lead inside by %s, and says the same for each', async (url) => {
    const egress = egressWith()
    await expect(egress.send({ purpose: 'test', url })).rejects.toThrow(/^This address is not allowed\./)
  })

  it.each(['127.0.0.1', '::1', 'fe80::1%eth0', '::7f00:1', '203.0.113.9', 'localhost', '', '0x7f.1'])(
    'H06 “%s” is no public address',
    (address) => {
      expect(isPublic(address)).toBe(false)
    },
  )
  it.each(['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '1.1.1.1'])(
    '%s is a public address',
    (address) => {
      expect(isPublic(address)).toBe(true)
    },
  )

  it('H02 denies a name that points inside, even when only one of its addresses does', async () => {
    for (const addresses of [['127.0.0.1'], ['93.184.215.14', '10.0.0.7'], ['::1'], ['fe80::1%lo']]) {
      const egress = egressWith({ resolve: async () => addresses })
      expect(await faultOf(egress.send({ purpose: 'test', url: 'https://shop.example/' }))).toBe('denied')
      expect(await faultOf(egress.lookUp({ host: 'db.example', port: 5432 }))).toBe('denied')
    }
  })

  it('H02 connects to the address that was looked at: a name is not asked a second time', async () => {
    let asked = 0
    const port = await serve((_, reply) => reply.end('here'))
    const egress = egressWith({
      allow: [`shop.example:${port}`],
      async resolve() {
        asked += 1
        return [asked === 1 ? '127.0.0.1' : '127.0.0.9']
      },
    })
    const { body } = await egress.send({ purpose: 'test', url: `http://shop.example:${port}/` })
    expect([Buffer.from(body).toString(), asked]).toEqual(['here', 1])
  })

  it('H03 takes a redirect for an answer and goes nowhere', async () => {
    let other = 0
    const target = await serve((_, reply) => {
      other += 1
      reply.end()
    })
    for (const status of [301, 302, 303, 307, 308]) {
      const port = await serve((_, reply) => reply.writeHead(status, { location: `http://127.0.0.1:${target}/` }).end())
      const egress = egressWith({ allow: [`127.0.0.1:${port}`, `127.0.0.1:${target}`] })
      const reply = await egress.send({ purpose: 'test', url: `http://127.0.0.1:${port}/` })
      expect(reply.status).toBe(status)
    }
    expect(other).toBe(0)
  })

  it.each([
    'file:///etc/passwd',
    'ftp://shop.example/',
    'https://user:secret@shop.example/',
    'https://shop.example:25/',
    'no url',
  ])('H04 H05 refuses %s', async (url) => {
    const egress = egressWith({ resolve: async () => ['93.184.215.14'] })
    expect(await faultOf(egress.send({ purpose: 'test', url }))).toBe('denied')
  })

  it('H05 uses no proxy of the environment', async () => {
    let proxied = 0
    const proxy = await serve((_, reply) => {
      proxied += 1
      reply.end()
    })
    const port = await serve((_, reply) => reply.end('direct'))
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = `http://127.0.0.1:${proxy}`
    try {
      const egress = egressWith({ allow: [`127.0.0.1:${port}`] })
      expect((await egress.send({ purpose: 'test', url: `http://127.0.0.1:${port}/` })).status).toBe(200)
    } finally {
      delete process.env['HTTP_PROXY']
      delete process.env['http_proxy']
    }
    expect(proxied).toBe(0)
  })

  it('sends nothing without TLS, unless exactly that host and port is allowed', async () => {
    const resolve = async () => ['93.184.215.14']
    const egress = egressWith({ resolve })
    expect(
      await faultOf(egress.send({ purpose: 'test', url: 'http://shop.example/', method: 'POST', body: '{}' })),
    ).toBe('denied')
    const port = await serve((request, reply) => {
      request.pipe(reply)
    })
    const open = egressWith({ allow: [`127.0.0.1:${port}`] })
    const { body } = await open.send({
      purpose: 'test',
      url: `http://127.0.0.1:${port}/`,
      method: 'POST',
      body: '{"a":1}',
    })
    expect(Buffer.from(body).toString()).toBe('{"a":1}')
    expect(await faultOf(open.send({ purpose: 'test', url: `http://127.0.0.1:${port + 1}/` }))).toBe('denied')
    expect(await faultOf(open.send({ purpose: 'test', url: `http://localhost:${port}/` }))).toBe('denied')
  })

  it('calls a database that is allowed by its address, and no port of the system', async () => {
    const egress = egressWith({ allow: ['crm.internal:5432'], resolve: async () => ['10.0.0.7'] })
    expect(await egress.lookUp({ host: 'crm.internal', port: 5432 })).toEqual({ address: '10.0.0.7', port: 5432 })
    expect(await faultOf(egress.lookUp({ host: 'crm.internal', port: 5433 }))).toBe('denied')
    const outside = egressWith({ resolve: async () => ['93.184.215.14'] })
    expect(await faultOf(outside.lookUp({ host: 'db.example', port: 25 }))).toBe('denied')
    expect(await outside.lookUp({ host: 'db.example', port: 3306 })).toEqual({ address: '93.184.215.14', port: 3306 })
  })

  it('C07 takes no more of an answer than it was told to, also of one that does not end', async () => {
    const port = await serve((_, reply) => {
      const more = () => {
        while (reply.write(Buffer.alloc(65_536)));
        reply.once('drain', more)
      }
      more()
    })
    const egress = egressWith({ allow: [`127.0.0.1:${port}`] })
    const url = `http://127.0.0.1:${port}/`
    expect(await faultOf(egress.send({ purpose: 'test', url, maxReplyBytes: 200_000 }))).toBe('too_large')
  })

  it('C07 ends with endless headers, with silence, and with a connection that breaks', async () => {
    const headers = await listen(
      createTcp((socket) => {
        socket.on('error', () => {})
        socket.write('HTTP/1.1 200 OK\r\n')
        const more = () => {
          while (socket.writable && socket.write(`x-${'y'.repeat(1000)}: z\r\n`));
          socket.once('drain', more)
        }
        more()
      }),
    )
    const silent = await listen(createTcp((socket) => socket.on('error', () => {})))
    const breaking = await listen(
      createTcp((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => socket.destroy())
      }),
    )
    const egress = egressWith({ allow: [headers, silent, breaking].map((port) => `127.0.0.1:${port}`) })
    const get = (port: number) =>
      faultOf(egress.send({ purpose: 'test', url: `http://127.0.0.1:${port}/`, timeoutMs: 300 }))
    expect([await get(headers), await get(silent), await get(breaking)]).toEqual(['too_large', 'timeout', 'broken'])
  })

  it('hands bytes on as they come, and lets go of the connection when the reader leaves', async () => {
    const gone = Promise.withResolvers<void>()
    const port = await serve((_, reply) => {
      reply.write('first')
      reply.once('close', gone.resolve)
    })
    const egress = egressWith({ allow: [`127.0.0.1:${port}`] })
    const { body } = await egress.open({ purpose: 'test', url: `http://127.0.0.1:${port}/` })
    for await (const part of body) {
      expect(Buffer.from(part).toString()).toBe('first')
      break
    }
    await gone.promise
  })
})
