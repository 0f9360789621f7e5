import type { PageDefinition } from '../../ui/page.tsx'
import type { PanelDefinition } from '../../ui/panels.tsx'
import { pages as accounts } from '../../modules/accounts/web/index.tsx'
import { pages as audit } from '../../modules/audit/web/index.tsx'
import { pages as capacity } from '../../modules/capacity/web/index.tsx'
import { pages as channels } from '../../modules/channels/web/index.tsx'
import { pages as cockpit } from '../../modules/cockpit/web/index.tsx'
import { pages as collect } from '../../modules/collect/web/index.tsx'
import { pages as consent } from '../../modules/consent/web/index.tsx'
import { pages as content } from '../../modules/content/web/index.tsx'
import { pages as destinations } from '../../modules/destinations/web/index.tsx'
import { pages as feeds } from '../../modules/feeds/web/index.tsx'
import { pages as imports } from '../../modules/imports/web/index.tsx'
import { pages as insights } from '../../modules/insights/web/index.tsx'
import { pages as journeys } from '../../modules/journeys/web/index.tsx'
import { pages as profiles } from '../../modules/profiles/web/index.tsx'
import { pages as pulls } from '../../modules/pulls/web/index.tsx'
import { pages as streams } from '../../modules/streams/web/index.tsx'
import { pages as requests } from '../../modules/requests/web/index.tsx'
import { pages as segments, panels as segmentPanels } from '../../modules/segments/web/index.tsx'
import { pages as sources } from '../../modules/sources/web/index.tsx'
import { pages as standingImports } from '../../modules/standing-imports/web/index.tsx'
import { pages as tools } from '../../modules/tools/web/index.tsx'
import { pages as trackingPlan } from '../../modules/tracking-plan/web/index.tsx'
import { pages as webhooks } from '../../modules/webhooks/web/index.tsx'

/** Every page of the product behind the sign-in. A module that has pages has one line here. */
export const pages: readonly PageDefinition[] = [
  cockpit,
  profiles,
  segments,
  sources,
  collect,
  capacity,
  trackingPlan,
  imports,
  standingImports,
  pulls,
  streams,
  destinations,
  webhooks,
  feeds,
  journeys,
  insights,
  content,
  channels,
  consent,
  requests,
  tools,
  audit,
  accounts,
].flat()

/** What modules show beside the objects of others. */
export const panels: readonly PanelDefinition[] = [...segmentPanels]
