import { Button, Menu, NumberInput, Textarea, TextInput } from '@mantine/core'
import type { Block } from '../contract.ts'

const names: Record<Block['kind'], string> = {
  heading: 'Heading',
  text: 'Text',
  button: 'Button',
  image: 'Picture',
  divider: 'Line',
  spacer: 'Space',
  columns: 'Two columns',
}
const empty: Record<Block['kind'], Block> = {
  heading: { kind: 'heading', text: 'Heading' },
  text: { kind: 'text', text: 'Text' },
  button: { kind: 'button', text: 'See it', href: 'https://' },
  image: { kind: 'image', src: 'https://', alt: '' },
  divider: { kind: 'divider' },
  spacer: { kind: 'spacer', height: 24 },
  columns: { kind: 'columns', left: 'Left', right: 'Right' },
}

/** The blocks of a mail, in order; each can be moved by buttons, so the keyboard is enough. */
export function Blocks({ blocks, change }: { blocks: readonly Block[]; change: (next: Block[]) => void }) {
  const set = (at: number, block: Block) => {
    change(blocks.map((other, index) => (index === at ? block : other)))
  }
  const move = (at: number, by: number) => {
    const next = [...blocks]
    const [block] = next.splice(at, 1)
    if (block !== undefined) next.splice(at + by, 0, block)
    change(next)
  }
  return (
    <div className="stack">
      {blocks.map((block, index) => (
        <fieldset key={index} className="group">
          <legend className="hidden">{names[block.kind]}</legend>
          <div className="row">
            <h2 className="grow">{names[block.kind]}</h2>
            <Button
              size="compact-xs"
              variant="subtle"
              disabled={index === 0}
              onClick={() => {
                move(index, -1)
              }}
              aria-label={`Up: ${names[block.kind]}`}
            >
              Up
            </Button>
            <Button
              size="compact-xs"
              variant="subtle"
              disabled={index === blocks.length - 1}
              onClick={() => {
                move(index, 1)
              }}
              aria-label={`Down: ${names[block.kind]}`}
            >
              Down
            </Button>
            <Button
              size="compact-xs"
              variant="subtle"
              disabled={blocks.length === 1}
              onClick={() => {
                change(blocks.filter((_other, at) => at !== index))
              }}
              aria-label={`Take out: ${names[block.kind]}`}
            >
              Take out
            </Button>
          </div>
          {block.kind === 'heading' ? (
            <TextInput
              aria-label="Heading"
              value={block.text}
              onChange={(event) => {
                set(index, { ...block, text: event.currentTarget.value })
              }}
            />
          ) : null}
          {block.kind === 'text' ? (
            <Textarea
              aria-label="Text"
              autosize
              minRows={2}
              value={block.text}
              onChange={(event) => {
                set(index, { ...block, text: event.currentTarget.value })
              }}
            />
          ) : null}
          {block.kind === 'button' ? (
            <div className="row">
              <TextInput
                className="grow"
                label="Says"
                value={block.text}
                onChange={(event) => {
                  set(index, { ...block, text: event.currentTarget.value })
                }}
              />
              <TextInput
                className="grow"
                label="Leads to"
                value={block.href}
                onChange={(event) => {
                  set(index, { ...block, href: event.currentTarget.value })
                }}
              />
            </div>
          ) : null}
          {block.kind === 'image' ? (
            <div className="row">
              <TextInput
                className="grow"
                label="Address"
                value={block.src}
                onChange={(event) => {
                  set(index, { ...block, src: event.currentTarget.value })
                }}
              />
              <TextInput
                className="grow"
                label="Says to who does not see it"
                value={block.alt}
                onChange={(event) => {
                  set(index, { ...block, alt: event.currentTarget.value })
                }}
              />
            </div>
          ) : null}
          {block.kind === 'spacer' ? (
            <NumberInput
              aria-label="Height in points"
              min={4}
              max={120}
              value={block.height}
              onChange={(height) => {
                if (typeof height === 'number') set(index, { ...block, height })
              }}
            />
          ) : null}
          {block.kind === 'columns' ? (
            <div className="row">
              <Textarea
                className="grow"
                label="Left"
                autosize
                minRows={2}
                value={block.left}
                onChange={(event) => {
                  set(index, { ...block, left: event.currentTarget.value })
                }}
              />
              <Textarea
                className="grow"
                label="Right"
                autosize
                minRows={2}
                value={block.right}
                onChange={(event) => {
                  set(index, { ...block, right: event.currentTarget.value })
                }}
              />
            </div>
          ) : null}
        </fieldset>
      ))}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default">Add a block</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(names) as Block['kind'][]).map((kind) => (
            <Menu.Item
              key={kind}
              onClick={() => {
                change([...blocks, empty[kind]])
              }}
            >
              {names[kind]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </div>
  )
}
