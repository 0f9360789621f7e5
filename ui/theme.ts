import { createTheme, type MantineColorsTuple } from '@mantine/core'

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

export const theme = createTheme({
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "DejaVu Sans Mono", monospace',
  primaryColor: 'blue',
  primaryShade: { light: 7, dark: 3 },
  autoContrast: true,
  luminanceThreshold: 0.4,
  colors: { blue },
  defaultRadius: 8,
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '17px', xl: '25px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { transitionProps: { duration: 120 }, openDelay: 200 } },
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
