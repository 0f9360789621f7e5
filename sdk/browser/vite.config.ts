import { join } from 'node:path'
import { defineConfig } from 'vite'

/**
 * `vite build` makes the module (dist/index.js), `vite build --mode snippet` the one file that pages load (dist/interlock.js). Browsers since 2020
 * understand both.
 */
export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  logLevel: 'warn',
  build: {
    target: 'es2020',
    outDir: 'dist',
    emptyOutDir: false,
    rolldownOptions: {
      optimization: { inlineConst: { mode: 'all', pass: 3 } },
      output: {
        minify: {
          compress: { target: 'es2020' },
          mangle: { toplevel: true },
          // Names of ours that are in no interface of a browser and in nothing that is sent or stored.
          mangleProps: {
            include:
              /^(lasts|wipe|choose|choice|names|store|setCookie|drop|dropped|leave|back|soon|json|done|next|take|visitor)$/,
          },
        },
      },
    },
    lib:
      mode === 'snippet'
        ? {
            entry: join(import.meta.dirname, 'src/snippet.ts'),
            formats: ['iife'],
            name: 'interlockScript',
            fileName: () => 'interlock.js',
          }
        : { entry: join(import.meta.dirname, 'src/index.ts'), formats: ['es'], fileName: () => 'index.js' },
  },
}))
