/** The layering rule of ARCHITECTURE.md, with a sentence for whoever breaks it. */
const module_ = '^modules/([^/]+)/'
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files want each other: a fact wants to move down, or an announcement wants to go up.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'lib-is-pure',
      comment: 'lib/ is pure: it may import only lib/ and small pure packages, never I/O.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '[.]test[.]tsx?$' },
      to: {
        path: '^(platform|modules|apps|ui|sdk|test|bench)/|^(fs|net|http|https|child_process|worker_threads|dgram|tls|dns)(/|$)',
      },
    },
    {
      name: 'platform-knows-no-module',
      comment: 'platform/ is I/O for everybody: it knows no module, no app and no web kit.',
      severity: 'error',
      from: { path: '^platform/', pathNot: '[.]test[.]tsx?$' },
      to: { path: '^(modules|apps|ui|test|bench)/' },
    },
    {
      name: 'ui-knows-no-module',
      comment: 'ui/ is the web kit: it may import lib/ only.',
      severity: 'error',
      from: { path: '^ui/' },
      to: { path: '^(modules|apps|platform|test|bench)/' },
    },
    {
      name: 'sdk-stands-alone',
      comment:
        'sdk/ is published alone: each package in it imports its own files and what its platform brings, nothing else.',
      severity: 'error',
      from: { path: '^sdk/([^/]+)/', pathNot: '[.]test[.]ts$|vite[.]config[.]ts$' },
      to: { pathNot: ['^sdk/$1/', '^(node:)?(crypto|fs|fs/promises|path|zlib|sqlite|timers|timers/promises)$'] },
    },
    {
      name: 'nobody-imports-sdk',
      comment: 'The product serves what sdk/ builds and imports none of it.',
      severity: 'error',
      from: { path: '^(lib|platform|modules|apps|ui)/', pathNot: '[.]test[.]tsx?$' },
      to: { path: '^sdk/' },
    },
    {
      name: 'nobody-imports-apps',
      comment: 'apps/ is the top: nothing below may import it.',
      severity: 'error',
      from: { path: '^(lib|platform|modules|ui|sdk)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'modules-by-the-front-door',
      comment:
        'A module sees another only through its contract.ts, its server/index.ts or (in the browser) its web/index.ts.',
      severity: 'error',
      from: { path: module_ },
      to: {
        path: '^modules/([^/]+)/',
        pathNot: ['^modules/$1/', '^modules/[^/]+/(contract[.]ts|server/index[.]ts|web/index[.]tsx?)$'],
      },
    },
    {
      name: 'apps-by-the-front-door',
      comment: 'apps/ too enters a module through contract.ts, server/index.ts or web/index.ts.',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^modules/', pathNot: '^modules/[^/]+/(contract[.]ts|server/index[.]ts|web/index[.]tsx?)$' },
    },
    {
      name: 'contract-is-browser-safe',
      comment: 'contract.ts is schemas and types, safe for the browser.',
      severity: 'error',
      from: { path: '^modules/[^/]+/contract[.]ts$' },
      to: { path: '^(platform|ui|apps)/|/server/|/web/|^(fs|net|http|crypto|child_process|path|os)(/|$)' },
    },
    {
      name: 'browser-never-reaches-server',
      comment: 'Browser code never reaches server code.',
      severity: 'error',
      from: { path: '^(modules/[^/]+/web/|ui/|apps/web/)', pathNot: ['vite[.]config[.]ts$', '[.]test[.]tsx?$'] },
      to: { path: '^(platform/|modules/[^/]+/server/|apps/server/)' },
    },
    {
      name: 'server-never-reaches-browser',
      comment: 'Server code never reaches browser code.',
      severity: 'error',
      from: { path: '^(modules/[^/]+/server/|platform/|apps/server/)' },
      to: { path: '^(ui/|modules/[^/]+/web/|apps/web/)' },
    },
    {
      name: 'not-from-tests',
      comment: 'What ships does not import tests or builders.',
      severity: 'error',
      from: { path: '^(lib|platform|modules|apps|ui)/', pathNot: '[.]test[.]tsx?$' },
      to: { path: '^test/|[.]test[.]tsx?$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(apps/web|sdk/[^/]+)/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
