/** Style sheets are taken in by the page builder; to TypeScript they are only side effects. */
declare module '*.css'
