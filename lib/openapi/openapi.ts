import { z } from 'zod'
import { refusals } from '../refusals/refusals.ts'
import type { AnyRoute } from '../routes/routes.ts'

/** The OpenAPI 3.1 document of routes. Everything in it comes from the contracts; nothing is written twice. */
export function openApi(routes: readonly AnyRoute[], version: string): Record<string, unknown> {
  const schema = (type: z.ZodType, io: 'input' | 'output') => {
    const { $schema: _, ...rest } = z.toJSONSchema(type, { io, unrepresentable: 'any' })
    return rest
  }
  const parameters = (type: z.ZodType | undefined, where: 'path' | 'query') => {
    if (type === undefined) return []
    const { properties = {}, required = [] } = schema(type, 'input') as {
      properties?: Record<string, unknown>
      required?: string[]
    }
    return Object.entries(properties).map(([name, of]) => ({
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      schema: of,
    }))
  }
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:([A-Za-z]+)/g, '{$1}')
    const item = (paths[path] ??= {})
    item[route.method.toLowerCase()] = {
      summary: route.summary,
      tags: [route.path.split('/')[2] ?? 'api'],
      'x-permission': route.allow,
      ...(route.allow === 'anyone' ? {} : { security: [{ apiKey: [] }, { session: [] }] }),
      parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
      ...(route.body === undefined
        ? {}
        : {
            requestBody: { required: true, content: { 'application/json': { schema: schema(route.body, 'input') } } },
          }),
      responses: {
        200: { description: 'Done.', content: { 'application/json': { schema: schema(route.reply, 'output') } } },
        default: {
          description: 'Refused; see the code.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Interlock',
      version,
      description: 'Everything the pages do. Send an API key as `Authorization: Bearer il_…`.',
    },
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'interlock' },
      },
      schemas: {
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status', 'code', 'detail', 'passes'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            code: { enum: Object.keys(refusals) },
            detail: { type: 'string' },
            passes: { type: 'string', description: 'What would pass.' },
          },
        },
      },
    },
  }
}
