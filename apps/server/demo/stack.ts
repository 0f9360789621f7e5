/** The demo company's tools: invented products of plausible kinds, so that no real vendor is accused of anything. */
export interface DemoTool {
  name: string
  vendor: string
  capability: string
  status: 'live' | 'proposed' | 'retired'
  /** Which side has an owner; a tool that hangs on one side is part of the story. */
  owners: 'both' | 'marketing' | 'it' | 'none'
  /** Whole euros a year; undefined: nobody knows. */
  costPerYear: number | undefined
  /** Days from now until the contract ends; negative: it ended. */
  endsInDays: number | undefined
  personalFields: string[]
  region: 'EU' | 'US' | 'UK'
  /** Found by evidence, never registered. */
  found?: string
}

const tool = (
  name: string,
  vendor: string,
  capability: string,
  owners: DemoTool['owners'],
  costPerYear: number | undefined,
  endsInDays: number | undefined,
  personalFields: string[],
  region: DemoTool['region'] = 'EU',
  rest: Partial<DemoTool> = {},
): DemoTool => ({
  name,
  vendor,
  capability,
  owners,
  costPerYear,
  endsInDays,
  personalFields,
  region,
  status: 'live',
  ...rest,
})

export const demoTools: readonly DemoTool[] = [
  tool('Web shop', 'Handelshus', 'Site & Commerce', 'both', 148_000, 410, [
    'email',
    'firstName',
    'lastName',
    'address',
    'orders',
  ]),
  tool('Shop app', 'In-house', 'Site & Commerce', 'both', 62_000, undefined, ['email', 'orders']),
  tool('Till system', 'Kassan AB', 'Site & Commerce', 'it', 54_000, 220, ['orders']),
  tool('Old CRM', 'Kundkort 2009', 'Sales & Service', 'it', 31_000, 48, [
    'email',
    'firstName',
    'lastName',
    'phone',
    'birthday',
    'address',
  ]),
  tool('Newsletter list', 'In-house', 'Message', 'marketing', 0, undefined, ['email', 'firstName']),
  tool('Mail route A', 'Interlock', 'Message', 'both', 0, 120, ['email', 'firstName']),
  tool('Service desk', 'Ticketwerk', 'Sales & Service', 'both', 27_500, 300, [
    'email',
    'firstName',
    'lastName',
    'phone',
  ]),
  tool('Call centre', 'Ringvägen', 'Sales & Service', 'it', 96_000, 92, ['phone', 'lastName']),
  tool('Web analytics', 'Zählwerk', 'Analytics & Test', 'both', 12_000, 180, ['ipAddress']),
  tool('Session replay', 'Rewatch', 'Analytics & Test', 'marketing', 8_400, 17, ['ipAddress', 'behaviour'], 'US'),
  tool('A/B tester', 'Splitly', 'Analytics & Test', 'marketing', 14_900, 260, []),
  tool('Survey forms', 'Fragebogen', 'Analytics & Test', 'marketing', 2_900, 75, ['email']),
  tool('Tag manager', 'Etikett', 'Collect', 'both', 0, undefined, []),
  tool('Consent banner', 'Jawohl', 'Consent & Trust', 'both', 5_600, 140, []),
  tool('Product reviews', 'Sterne', 'Site & Commerce', 'marketing', 7_200, 330, ['firstName', 'email']),
  tool('Recommendation engine', 'Nästa', 'Segment & Decide', 'both', 44_000, 205, ['behaviour']),
  tool('Site search', 'Findus', 'Site & Commerce', 'it', 18_500, 360, []),
  tool('Content system', 'Blattwerk', 'Content & Creative', 'both', 39_000, 280, []),
  tool('Image bank', 'Bildarkiv', 'Content & Creative', 'marketing', 11_000, 64, []),
  tool('Design studio', 'Strich', 'Content & Creative', 'marketing', 9_600, 150, [], 'US'),
  tool('Landing pages', 'Schnellseite', 'Content & Creative', 'marketing', 4_800, 31, ['email'], 'US'),
  tool('Video host', 'Rulle', 'Content & Creative', 'marketing', 6_300, 190, []),
  tool('Social planner', 'Plapper', 'Social & Community', 'marketing', 7_900, 110, []),
  tool('Social listening', 'Horchposten', 'Social & Community', 'marketing', 16_000, -12, [], 'US'),
  tool('Influencer desk', 'Stjärnor', 'Social & Community', 'marketing', 22_000, 88, ['email']),
  tool('Community forum', 'Torget', 'Social & Community', 'it', 3_400, 240, ['email', 'firstName']),
  tool('Search ads', 'Ordbud', 'Ads', 'marketing', 240_000, undefined, ['emailHash'], 'US'),
  tool('Social ads', 'Flöde', 'Ads', 'marketing', 310_000, undefined, ['emailHash'], 'US'),
  tool('Display network', 'Bannerbud', 'Ads', 'marketing', 58_000, 45, [], 'US'),
  tool('Affiliate network', 'Partnerringen', 'Ads', 'marketing', 41_000, 170, ['orders']),
  tool('Price comparison feed', 'Prislistan', 'Ads', 'it', 9_000, 200, []),
  tool('Push messages', 'Knuff', 'Message', 'both', 6_600, 130, ['deviceId']),
  tool('Text messages', 'Smssända', 'Message', 'both', 13_500, 95, ['phone']),
  tool('Loyalty cards', 'Stammis', 'Identity & Profile', 'both', 36_000, 270, ['email', 'birthday', 'orders']),
  tool('Address cleaner', 'Rätt Ort', 'Identity & Profile', 'it', 4_200, 15, ['address']),
  tool('Data warehouse', 'Lagerhuset', 'Analytics & Test', 'it', 84_000, 390, ['email', 'orders', 'behaviour']),
  tool('Dashboards', 'Översikt', 'Analytics & Test', 'both', 19_800, 160, []),
  tool('Single sign-on', 'Nyckelknippan', 'Run & Finance', 'it', 24_000, 310, ['email']),
  tool('Expense cards', 'Kvitto', 'Run & Finance', 'it', 5_100, 230, []),
  tool('Status monitor', 'Pulsen', 'Run & Finance', 'it', 1_900, 340, []),
  tool('Voucher maker', 'Rabatten', 'Site & Commerce', 'marketing', 3_000, 5, ['email'], 'EU', { status: 'proposed' }),
  tool('Form builder', 'Snabbform', 'Collect', 'none', undefined, undefined, ['email', 'phone'], 'US', {
    status: 'proposed',
    found: 'expense card: 29 € a month, paid by the Malmö store',
  }),
  tool('Heat map script', 'Varmare', 'Analytics & Test', 'none', undefined, undefined, ['behaviour'], 'US', {
    status: 'proposed',
    found: 'script on /checkout, seen in the crawl of the web site',
  }),
  tool(
    'Mail sender of the agency',
    'Brevduvan',
    'Message',
    'none',
    undefined,
    undefined,
    ['email', 'firstName'],
    'UK',
    { status: 'proposed', found: 'SPF record of news.lindqvist.example includes it' },
  ),
  tool('Shared spreadsheet', 'Kalkylark', 'Segment & Decide', 'none', undefined, undefined, ['email', 'orders'], 'US', {
    status: 'proposed',
    found: 'weekly upload by the newsletter job, seen in its log',
  }),
]

/** Integrations between them: from, to, fields, purpose, whether an agreement stands. */
export const demoIntegrations: readonly (readonly [
  from: string,
  to: string,
  fields: string[],
  purpose: string,
  agreed: boolean,
])[] = [
  ['Web shop', 'Data warehouse', ['email', 'orders'], 'reporting', true],
  ['Till system', 'Data warehouse', ['orders'], 'reporting', true],
  ['Old CRM', 'Call centre', ['phone', 'lastName'], 'service', true],
  ['Old CRM', 'Newsletter list', ['email', 'firstName'], 'newsletter', false],
  ['Loyalty cards', 'Old CRM', ['email', 'birthday'], 'service', true],
  ['Web shop', 'Product reviews', ['email', 'firstName'], 'review invitations', true],
  ['Data warehouse', 'Dashboards', [], 'reporting', true],
  ['Data warehouse', 'Search ads', ['emailHash'], 'audiences', true],
  ['Data warehouse', 'Social ads', ['emailHash'], 'audiences', true],
  ['Web shop', 'Recommendation engine', ['behaviour'], 'recommendations', true],
  ['Tag manager', 'Web analytics', ['ipAddress'], 'measurement', true],
  ['Tag manager', 'Session replay', ['ipAddress', 'behaviour'], 'usability', false],
  ['Newsletter list', 'Shared spreadsheet', ['email', 'orders'], 'weekly count', false],
  ['Web shop', 'Affiliate network', ['orders'], 'commission', true],
  ['Web shop', 'Service desk', ['email', 'firstName', 'lastName'], 'service', true],
  ['Shop app', 'Push messages', ['deviceId'], 'messages', true],
]

/** The people who work there. `key` is how the loader refers to them. */
export const demoStaff = [
  {
    key: 'campaigns',
    name: 'Linnéa Sjöström',
    email: 'linnea@lindqvist.example',
    side: 'marketing',
    roles: ['member'],
    title: 'campaign manager',
  },
  {
    key: 'head',
    name: 'Götz O’Brien',
    email: 'goetz@lindqvist.example',
    side: 'marketing',
    roles: ['approver'],
    title: 'head of customer marketing',
  },
  {
    key: 'operations',
    name: 'Agnieszka Łoś',
    email: 'agnieszka@lindqvist.example',
    side: 'marketing',
    roles: ['member'],
    title: 'marketing operations',
  },
  {
    key: 'engineer',
    name: 'Ивайло Щерев',
    email: 'ivaylo@lindqvist.example',
    side: 'it',
    roles: ['approver'],
    title: 'integration engineer',
  },
  {
    key: 'run',
    name: 'Siobhán D’Arcy',
    email: 'siobhan@lindqvist.example',
    side: 'it',
    roles: ['approver'],
    title: 'run owner of the mail route',
  },
  {
    key: 'protection',
    name: 'Noël Lefèvre',
    email: 'noel@lindqvist.example',
    side: 'it',
    roles: ['protection'],
    title: 'data protection',
  },
  {
    key: 'technologist',
    name: 'Aroha Te Kanawa',
    email: 'aroha@lindqvist.example',
    side: 'marketing',
    roles: ['technologist'],
    title: 'marketing technologist',
  },
  {
    key: 'administrator',
    name: 'Måns Öberg',
    email: 'mans@lindqvist.example',
    side: 'it',
    roles: ['administrator'],
    title: 'administrator',
  },
  {
    key: 'viewer',
    name: 'Inès Dupré',
    email: 'ines@lindqvist.example',
    side: 'marketing',
    roles: ['viewer'],
    title: 'analyst',
  },
] as const
