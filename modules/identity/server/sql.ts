/**
 * The profile that an event of alias `e` belongs to now: what was stored with it, corrected by merges since. Use both parts: the expression, and the
 * join in FROM.
 */
export const resolvedProfile = `if(o.to_profile = '', e.profile_id, o.to_profile)`
export const resolvedJoin = `LEFT ANY JOIN (SELECT from_profile, argMax(to_profile, version) AS to_profile FROM profile_override GROUP BY from_profile) AS o ON o.from_profile = e.profile_id`
