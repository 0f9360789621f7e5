import ipaddr from 'ipaddr.js'

/**
 * IPv6 ranges that hide an IPv4 address or lead back inside, whatever ipaddr.js calls them: IPv4-compatible, NAT64 (RFC 6052 and 8215), IPv4-translated,
 * Teredo, 6to4, and the deprecated site-local range.
 */
const hiding = [
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '::ffff:0:0:0/96',
  '2001::/32',
  '2002::/16',
  'fec0::/10',
].map((range) => ipaddr.IPv6.parseCIDR(range))
/** Ranges of IPv4 that nobody serves from: benchmarking (RFC 2544), documentation (RFC 5737), relay anycast of 6to4 (RFC 7526). */
const unserved = [
  '198.18.0.0/15',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '192.88.99.0/24',
  '192.0.0.0/24',
].map((range) => ipaddr.IPv4.parseCIDR(range))

/**
 * Whether an address is on the public internet, so that nobody can reach our own machine or network by naming it.
 * @param address an IP address as the resolver or `URL.hostname` gives it (without brackets); anything else is not public
 */
export function isPublic(address: string): boolean {
  // A zone id names an interface of this machine.
  if (address.includes('%') || !ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return false
  if (parsed instanceof ipaddr.IPv4) return !unserved.some(([range, bits]) => parsed.match(range, bits))
  return !hiding.some(([range, bits]) => parsed.match(range, bits))
}
