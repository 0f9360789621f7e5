/** Events a second as one reads them: one decimal below ten. */
export const rate = (perSecond: number) =>
  perSecond > 0 && perSecond < 0.1
    ? 'under 0.1'
    : perSecond.toLocaleString('en-GB', { maximumFractionDigits: perSecond < 10 ? 1 : 0 })
