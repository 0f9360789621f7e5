import type { Connection, Plan } from '../contract.ts'

/**
 * What one kind cannot do, as a sentence; undefined when the plan can be.
 * @param isTable a table, and neither a view nor a query
 */
export function cannotBe(plan: Plan, kind: Connection['kind'], isTable: boolean): string | undefined {
  const { from, key, finding, deletes } = plan
  if (finding.by === 'transactions' && (kind !== 'postgres' || !isTable))
    return 'Only tables of PostgreSQL know which transaction wrote a row. Choose a column.'
  if (kind !== 'salesforce') return undefined
  if ('query' in from) return 'Of Salesforce whole objects are read: choose one by name.'
  if (key.length !== 1 || key[0] !== 'Id') return 'A row of Salesforce is known by its Id.'
  // The other times can be set by whoever loads data, or stay as they are when Salesforce itself changes a row.
  if (finding.by === 'cursor' && finding.column !== 'SystemModstamp')
    return 'In Salesforce only SystemModstamp is set by every change. Choose it, or compare all rows.'
  if (deletes.by === 'column' && deletes.column !== 'IsDeleted')
    return 'In Salesforce the field IsDeleted says which rows are deleted. Choose it, or compare keys.'
  return undefined
}
