import { Button, NumberInput } from '@mantine/core'
import { useState } from 'react'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, percent, plural } from '../../../ui/format.tsx'
import { Card } from '../../../ui/page.tsx'
import { routes as accounts } from '../../accounts/contract.ts'
import { routes, type CapacityPage } from '../contract.ts'
import { rate } from './rate.ts'

/** What is expected while nothing is measured, and how answers are spread over time. */
export function Assumed({ page }: { page: CapacityPage }) {
  const { assumed, assumedBy, curve } = page
  const me = useRoute(accounts.me)
  const mayNot = me.data !== undefined && !me.data.permissions.includes('campaigns.write')
  const [opened, setOpened] = useState<number | string>(Math.round(assumed.opened * 1000) / 10)
  const [clicked, setClicked] = useState<number | string>(Math.round(assumed.clicked * 1000) / 10)
  const [pages, setPages] = useState<number | string>(assumed.pagesPerClick)
  const assume = useDeed(routes.assume, {
    touches: ['/api/capacity'],
    done: 'What is expected has changed.',
    undo: () => () => call(routes.assume, { body: assumed }),
  })
  const said = { opened: Number(opened) / 100, clicked: Number(clicked) / 100, pagesPerClick: Number(pages) }
  const empty = [opened, clicked, pages].some((value) => value === '')
  const same =
    said.opened === assumed.opened && said.clicked === assumed.clicked && said.pagesPerClick === assumed.pagesPerClick
  return (
    <Card
      title="What is expected"
      aside={
        assumedBy === null ? (
          'as Interlock came'
        ) : (
          <>
            said by {assumedBy.by}, <Ago at={assumedBy.at} />
          </>
        )
      }
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          assume.mutate({ body: said })
        }}
      >
        <p className="secondary">
          For a campaign without an earlier one of 100 people or more, these hold; all others go by what was measured.
          Machines that open mails count, because their requests come in like all others.
        </p>
        <div className="condition">
          <NumberInput
            label="Open it"
            suffix=" %"
            min={0}
            max={500}
            decimalScale={1}
            value={opened}
            onChange={setOpened}
            disabled={mayNot}
          />
          <NumberInput
            label="Click"
            suffix=" %"
            min={0}
            max={500}
            decimalScale={1}
            value={clicked}
            onChange={setClicked}
            disabled={mayNot}
          />
          <NumberInput
            label="Events on the site for a click"
            min={0}
            max={200}
            decimalScale={1}
            value={pages}
            onChange={setPages}
            disabled={mayNot}
          />
          <Button type="submit" variant="default" loading={assume.isPending} disabled={mayNot || empty || same}>
            Keep
          </Button>
        </div>
        {mayNot ? <p className="secondary">Who works on campaigns can change it.</p> : null}
        <p className="secondary">
          {curve.measured
            ? `When they answer is measured: of ${plural(curve.responses, 'open and click', 'opens and clicks')} within a day of their mail, ${percent(curve.firstHour)} came in the first hour and ${percent(curve.sixHours)} in six.`
            : `When they answer is our assumption until 200 of your own opens and clicks tell (${plural(curve.responses, 'is', 'are')} here): ${percent(curve.firstHour)} within the first hour, ${percent(curve.sixHours)} within six, all within a day. That is steeper on purpose than what GetResponse published of 5.5 billion mails in 2019 and 2020 (21.5% of opens and 33.6% of clicks in the first hour): a peak that was thought too small is the worse surprise.`}
        </p>
        <p className="secondary">
          {page.mailsPerSecond === null
            ? 'How fast mails leave is not known before a campaign of at least 100 mails is done: until then all of one are taken to leave within ten minutes.'
            : `Mails are taken to leave as fast as on the fastest campaign so far, ${rate(page.mailsPerSecond)} a second.`}
        </p>
      </form>
    </Card>
  )
}
