import { Button, MultiSelect, NumberInput, Select, Textarea } from '@mantine/core'
import { Suspense, useState } from 'react'
import { MeaningSelect } from '../../imports/web/index.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { count } from '../../../ui/format.tsx'
import { Card, ProblemNote, Table } from '../../../ui/page.tsx'
import { routes, type Plan, type Pull, type Relation } from '../contract.ts'
import { touches } from './PullsPage.tsx'

const asQuery = 'query'
const isTime = (type: string) => /^(timestamp|datetime|date)/.test(type)

/** What is read and what it means: choose a table, correct what was found out, keep it. */
export function PlanCard({ pull, fixed }: { pull: Pull; fixed: boolean }) {
  const params = { id: pull.id }
  const isSalesforce = pull.connection.kind === 'salesforce'
  const [open, setOpen] = useState(pull.plan === null)
  const [plan, setPlan] = useState<Plan | null>(pull.plan)
  const [rows, setRows] = useState<(string | null)[][]>([])
  const [query, setQuery] = useState(plan !== null && 'query' in plan.from ? plan.from.query : undefined)
  const tables = useRoute(routes.tables, { params }, { enabled: open })
  const look = useDeed(routes.look, { touches: [] })
  const keep = useDeed(routes.plan, { touches, done: 'Kept. The next run reads everything once.' })
  const lookAt = (from: Relation) => {
    look.mutate(
      { params, body: { from } },
      {
        onSuccess: (found) => {
          setPlan(found.plan)
          setRows(found.rows)
        },
      },
    )
  }
  if (!open && plan !== null)
    return (
      <Card
        title="What is read"
        aside={
          <Button
            size="compact-sm"
            variant="default"
            disabled={fixed}
            title={fixed ? 'It is being read; stop that first.' : undefined}
            onClick={() => {
              setOpen(true)
            }}
          >
            Change
          </Button>
        }
      >
        <p>{inWords(plan, isSalesforce)}</p>
      </Card>
    )
  const names = plan?.columns.map((column) => column.name) ?? []
  return (
    <Card title="What is read, and what it means">
      <div className="stack">
        {tables.error === null ? null : <ProblemNote problem={tables.error} again={() => void tables.refetch()} />}
        <div className="fields">
          <Select
            label={isSalesforce ? 'Object' : 'Table or view'}
            placeholder={tables.isPending ? 'Asking it …' : 'Choose one'}
            searchable
            data={[
              ...(tables.data ?? []).map((one) => ({
                value: JSON.stringify([one.schema, one.name]),
                label: `${isSalesforce ? '' : `${one.schema}.`}${one.name}${one.kind === 'view' ? ', a view' : ''}${one.rows === null ? '' : `, about ${count(one.rows)} rows`}`,
              })),
              ...(isSalesforce ? [] : [{ value: asQuery, label: 'A SELECT of my own' }]),
            ]}
            value={
              query !== undefined
                ? asQuery
                : plan !== null && 'table' in plan.from
                  ? JSON.stringify([plan.from.table.schema, plan.from.table.name])
                  : null
            }
            onChange={(value) => {
              if (value === null) return
              if (value === asQuery) {
                setQuery('SELECT ')
                return
              }
              setQuery(undefined)
              const [schema = '', name = ''] = JSON.parse(value) as string[]
              lookAt({ table: { schema, name } })
            }}
          />
        </div>
        {query === undefined ? null : (
          <div className="stack">
            <Textarea
              label="The SELECT"
              description="One statement, without a semicolon. It is read in a transaction that can write nothing."
              autosize
              minRows={3}
              value={query}
              onChange={(event) => {
                setQuery(event.currentTarget.value)
              }}
            />
            <div className="row">
              <Button
                variant="default"
                loading={look.isPending}
                onClick={() => {
                  lookAt({ query })
                }}
              >
                Look at it
              </Button>
            </div>
          </div>
        )}
        {plan === null ? null : (
          <>
            <Table label="Columns" head={['Column', 'Type', 'First rows', 'Means']}>
              {plan.columns.map((column) => (
                <tr key={column.name}>
                  <td>
                    <b>{column.name}</b>
                  </td>
                  <td>{column.databaseType}</td>
                  <td>
                    <span className="secondary">
                      {(rows.length === 0 ? column.samples : rows.slice(0, 3).map((row) => row[column.index] ?? '–'))
                        .join(' · ')
                        .slice(0, 90)}
                    </span>
                  </td>
                  <td>
                    <Suspense fallback={null}>
                      <MeaningSelect
                        column={column}
                        onChange={(meaning) => {
                          setPlan({
                            ...plan,
                            columns: plan.columns.map((other) =>
                              other.name === column.name ? { ...other, meaning } : other,
                            ),
                          })
                        }}
                      />
                    </Suspense>
                  </td>
                </tr>
              ))}
            </Table>
            <div className="fields">
              <MultiSelect
                label="A row is known by"
                description="Columns that tell every row from every other."
                data={names}
                value={plan.key}
                onChange={(key) => {
                  setPlan({ ...plan, key })
                }}
              />
              <FindingFields plan={plan} kind={pull.connection.kind} onChange={setPlan} />
              <DeletesFields plan={plan} kind={pull.connection.kind} onChange={setPlan} />
            </div>
            <div className="row">
              <Button
                disabled={plan.key.length === 0 || fixed}
                loading={keep.isPending}
                onClick={() => {
                  keep.mutate(
                    { params, body: plan },
                    {
                      onSuccess: () => {
                        setOpen(false)
                      },
                    },
                  )
                }}
              >
                Keep this plan
              </Button>
            </div>
          </>
        )}
      </div>
    </Card>
  )
}

function inWords({ from, key, finding, deletes, columns }: Plan, isSalesforce: boolean): string {
  const what =
    'query' in from ? 'a SELECT of your own' : `${isSalesforce ? '' : `${from.table.schema}.`}${from.table.name}`
  const how =
    finding.by === 'transactions'
      ? 'changes are found by the transaction that wrote a row'
      : finding.by === 'cursor'
        ? `changes are found by ${finding.column}`
        : 'everything is compared each time'
  const gone =
    deletes.by === 'nothing'
      ? 'rows that go are not noticed'
      : deletes.by === 'column'
        ? `${deletes.column} says which rows are deleted`
        : `rows that are gone are looked for in every ${deletes.everyRuns === 1 ? 'run' : `${String(deletes.everyRuns)}th run`}`
  const meant = columns.filter((column) => column.meaning.kind !== 'ignore').length
  return `${what}, rows known by ${key.join(' and ')}, ${count(meant)} of ${count(columns.length)} columns; ${how}; ${gone}.`
}

function FindingFields(props: { plan: Plan; kind: Pull['connection']['kind']; onChange: (plan: Plan) => void }) {
  const { plan, kind, onChange } = props
  const { finding } = plan
  const type =
    finding.by === 'cursor' ? (plan.columns.find((one) => one.name === finding.column)?.databaseType ?? '') : ''
  // Salesforce has one that every change sets.
  const may = kind === 'salesforce' ? plan.columns.filter(({ name }) => name === 'SystemModstamp') : plan.columns
  const first = may.find((column) => isTime(column.databaseType)) ?? may[0]
  return (
    <>
      <Select
        label="Changes are found by"
        allowDeselect={false}
        data={[
          ...(kind === 'postgres' && 'table' in plan.from
            ? [{ value: 'transactions', label: 'the writing transaction' }]
            : []),
          ...(first === undefined ? [] : [{ value: 'cursor', label: 'a growing column' }]),
          { value: 'comparison', label: 'comparing all rows' },
        ]}
        value={finding.by}
        onChange={(by) => {
          onChange({
            ...plan,
            finding: by === 'cursor' ? { by, column: first?.name ?? '', overlap: 3600 } : { by: by as 'transactions' },
          })
        }}
      />
      {finding.by === 'cursor' ? (
        <>
          <Select
            label="The column"
            allowDeselect={false}
            data={may.map((column) => column.name)}
            value={finding.column}
            onChange={(column) => {
              onChange({ ...plan, finding: { ...finding, column: column ?? finding.column } })
            }}
          />
          <NumberInput
            label={isTime(type) ? 'Overlap in seconds' : 'Overlap in units of the column'}
            description="As long as a transaction may stay open there; what is read again is compared, not stored twice."
            min={0}
            max={31_536_000}
            value={finding.overlap}
            onChange={(overlap) => {
              onChange({ ...plan, finding: { ...finding, overlap: Number(overlap) } })
            }}
          />
        </>
      ) : null}
    </>
  )
}

function DeletesFields(props: { plan: Plan; kind: Pull['connection']['kind']; onChange: (plan: Plan) => void }) {
  const { plan, kind, onChange } = props
  const { deletes } = plan
  const may = kind === 'salesforce' ? plan.columns.filter(({ name }) => name === 'IsDeleted') : plan.columns
  return (
    <>
      <Select
        label="Gone rows are found by"
        allowDeselect={false}
        data={[
          { value: 'comparison', label: 'comparing keys' },
          ...(may.length === 0 ? [] : [{ value: 'column', label: 'a column' }]),
          { value: 'nothing', label: 'nothing' },
        ]}
        value={deletes.by}
        onChange={(by) => {
          onChange({
            ...plan,
            deletes:
              by === 'comparison'
                ? { by, everyRuns: 24 }
                : by === 'column'
                  ? { by, column: may[0]?.name ?? '' }
                  : { by: 'nothing' },
          })
        }}
      />
      {deletes.by === 'comparison' ? (
        <NumberInput
          label="In every so manieth run"
          min={1}
          max={10_000}
          value={deletes.everyRuns}
          onChange={(everyRuns) => {
            onChange({ ...plan, deletes: { by: 'comparison', everyRuns: Math.max(1, Number(everyRuns)) } })
          }}
        />
      ) : null}
      {deletes.by === 'column' ? (
        <Select
          label="That column"
          allowDeselect={false}
          data={may.map((column) => column.name)}
          value={deletes.column}
          onChange={(column) => {
            onChange({ ...plan, deletes: { by: 'column', column: column ?? deletes.column } })
          }}
        />
      ) : null}
    </>
  )
}
