import type { ReactNode } from 'react'
import type { Problem } from './api.ts'
import { Ask, Card, Empty, Table } from './page.tsx'

export interface Column<Row> {
  head: string
  /** Numbers stand to the right. */
  right?: boolean
  cell: (row: Row) => ReactNode
}

/** The list of a page: while it loads its shape, when it is empty what will be here, then its rows; on a phone a card for each. */
export function List<Row extends { id: string | number }>(props: {
  label: string
  of: { data: readonly Row[] | undefined; error: Problem | null; refetch: () => unknown }
  columns: readonly Column<Row>[]
  empty: { sentence: string; example?: ReactNode; action?: ReactNode }
}) {
  const { label, of, columns, empty } = props
  return (
    <Ask of={of} shape="table">
      {(rows) =>
        rows.length === 0 ? (
          <Empty {...empty} />
        ) : (
          <Card className="list">
            <Table
              label={label}
              head={columns.map((column) => column.head)}
              right={columns.flatMap((column, index) => (column.right === true ? [index] : []))}
            >
              {rows.map((row) => (
                <tr key={row.id}>
                  {columns.map((column) => (
                    <td key={column.head} className={column.right === true ? 'right' : undefined}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
            </Table>
          </Card>
        )
      }
    </Ask>
  )
}

/** A query whose answer holds the rows among other things, as `List` wants it. */
export function rowsOf<Reply, Row>(
  of: { data: Reply | undefined; error: Problem | null; refetch: () => unknown },
  pick: (reply: Reply) => readonly Row[],
) {
  return { data: of.data === undefined ? undefined : pick(of.data), error: of.error, refetch: of.refetch }
}
