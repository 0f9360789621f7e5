import { createTheme, defaultVariantColorsResolver, type MantineColorsTuple } from '@mantine/core'

/** Product blue, from tint to ink; index 7 is the light scheme's action, index 3 the dark one's. */
const blue: MantineColorsTuple = [
  '#eef2ff',
  '#dbe3ff',
  '#b8c6ff',
  '#8fa8ff',
  '#6b87f0',
  '#4a68d8',
  '#3350b8',
  '#1d3c8f',
  '#183277',
  '#12275e',
]

/** Greys of the dark scheme, as in style.css: text first, page last. */
const slate: MantineColorsTuple = [
  '#e8eaed',
  '#c3cad2',
  '#a3adb9',
  '#7d8894',
  '#3d444c',
  '#30363d',
  '#22272c',
  '#1b1f23',
  '#14171a',
  '#0c0e10',
]

export const theme = createTheme({
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "DejaVu Sans Mono", monospace',
  primaryColor: 'blue',
  primaryShade: { light: 7, dark: 3 },
  // A filled button has the action's colour of the scheme, and the ink that is legible on it.
  variantColorResolver: (input) =>
    input.variant === 'filled'
      ? {
          ...defaultVariantColorsResolver(input),
          background: 'var(--action)',
          hover: 'var(--action-hover)',
          color: 'var(--on-action)',
        }
      : defaultVariantColorsResolver(input),
  colors: { blue, dark: slate },
  defaultRadius: 8,
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '17px', xl: '25px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { transitionProps: { duration: 120 }, openDelay: 200 } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Modal: {
      defaultProps: {
        centered: true,
        radius: 12,
        transitionProps: { duration: 120 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
    },
    TextInput: { defaultProps: { size: 'sm' } },
    Button: { defaultProps: { size: 'sm' } },
  },
})
