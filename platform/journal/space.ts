/**
 * Below this much free space the journal refuses, so that the databases on the same disk never meet a full one: 1 GiB or
 * 5 % of the disk, whichever is more, but never more than 2 GiB (5 % of a laptop's terabyte would refuse for nothing).
 */
export function neededSpace(totalBytes: number): number {
  return Math.min(Math.max(1024 ** 3, totalBytes * 0.05), 2 * 1024 ** 3)
}
