import { describe, expect, it } from 'vitest'
import { wordsOf } from '../../../lib/ids/ids.ts'
import { createGraph, type Graph } from './graph.ts'

const anna = 'profile_01m8aakz9zeh9b7f6t64cg14tv'
const email = (n: number) => ({ type: 'email', value: `e${String(n)}@x.example` })
const ringOf = (graph: Graph, no: number) => [...graph.members(no)].sort((one, other) => one - other)

describe('who is who, in memory', () => {
  it('finds an identifier again among many thousands, and none that was not added', () => {
    const graph = createGraph()
    for (let n = 1; n <= 20_000; n++) expect(graph.add(email(n), undefined, 1, n)).toBe(n)
    for (const n of [1, 777, 20_000]) expect(graph.find(email(n))).toBe(n)
    expect(graph.find(email(0))).toBe(0)
    expect(graph.find({ type: 'phone', value: email(1).value })).toBe(0)
  })

  it('keeps an instant to the millisecond, from 1970 to 2109, beside how well it is proven', () => {
    const graph = createGraph()
    for (const [at, ms] of [0, Date.parse('2026-11-25T12:00:00.123Z'), 2 ** 42 - 1].entries()) {
      const no = graph.add(email(at), wordsOf(anna), 2, ms)
      graph.setShared(no, true)
      expect([graph.firstMsOf(no), graph.standingOf(no), graph.isShared(no)]).toEqual([ms, 2, true])
    }
  })

  it('makes one person of two, and takes people apart', () => {
    const graph = createGraph()
    for (let n = 1; n <= 5; n++) graph.add(email(n), undefined, 1, n)
    graph.unite(1, 2)
    graph.unite(3, 4)
    graph.unite(1, 3)
    expect(ringOf(graph, 4)).toEqual([1, 2, 3, 4])
    expect(graph.ownerOf(4)).toBe(1)
    graph.put([1, 4], 1)
    graph.put([2, 3], 3)
    expect([ringOf(graph, 4), ringOf(graph, 2), ringOf(graph, 5)]).toEqual([[1, 4], [2, 3], [5]])
    expect(graph.ownerOf(2)).toBe(3)
  })

  it('is after a rollback what it was before', () => {
    const graph = createGraph()
    for (let n = 1; n <= 100; n++) graph.add(email(n), wordsOf(anna), 1, n)
    graph.unite(1, 2)
    const all = () =>
      Array.from({ length: graph.last }, (_, n) => n + 1).map((no) => [
        ringOf(graph, no),
        graph.ownerOf(no),
        graph.bornOf(no),
        graph.firstMsOf(no),
        graph.standingOf(no),
        graph.isShared(no),
        graph.isContended(no),
      ])
    const before = all()
    graph.begin()
    for (let n = 101; n <= 5_000; n++) graph.unite(1, graph.add(email(n), undefined, 0, n))
    graph.put([1], 1)
    graph.put([2, 3], 3)
    graph.setBorn(3, undefined)
    graph.setFirstMs(4, 1)
    graph.setStanding(5, 2)
    graph.setShared(6, true)
    graph.setContended(7, true)
    graph.rollback()
    expect(all()).toEqual(before)
    expect([graph.size, graph.find(email(4_999)), graph.find(email(100))]).toEqual([100, 0, 100])
  })

  it('is after a restart what the store says, gaps in the numbers too', () => {
    const graph = createGraph()
    const is = { profile: undefined, standing: 1 as const, shared: false, atMs: 5 }
    graph.load(2, email(2), { ...is, owner: 7, profile: wordsOf(anna) })
    graph.load(5, email(5), { ...is, owner: 7 })
    graph.load(7, email(7), { ...is, owner: 7 })
    graph.load(9, email(9), { ...is, owner: 9, shared: true })
    graph.loaded()
    expect([ringOf(graph, 5), ringOf(graph, 9)]).toEqual([[2, 5, 7], [9]])
    expect([graph.size, graph.last, graph.find(email(5)), graph.ownerOf(3)]).toEqual([4, 9, 5, 0])
    expect(graph.add(email(10), undefined, 0, 1)).toBe(10)
  })
})
