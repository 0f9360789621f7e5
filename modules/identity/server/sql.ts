/**
 * The profile that an event of alias `e` belongs to now: what was stored with it, corrected by what was taken apart and merged since. Use both parts: the
 * expression, and the joins in FROM. An identifier that was told apart says first whose its events are, and then that profile says what it is part of.
 */
export const resolvedProfile = `if(o.to_profile != '', o.to_profile, if(a.to_profile != '', a.to_profile, e.profile_id))`
export const resolvedJoin = `ASOF LEFT JOIN (SELECT anchor, since, argMax(to_profile, version) AS to_profile FROM anchor_override GROUP BY anchor, since HAVING to_profile != '') AS a ON a.anchor = e.anchor AND a.since <= e.time
  LEFT ANY JOIN (SELECT from_profile, argMax(to_profile, version) AS to_profile FROM profile_override GROUP BY from_profile) AS o ON o.from_profile = if(a.to_profile != '', a.to_profile, e.profile_id)`

/** Whether an event of alias `e` may belong to the profile {id:String}: cheap, and asked before the joins. */
export const maybeOf = `(e.profile_id IN (SELECT {id:String} UNION ALL SELECT from_profile FROM profile_override WHERE to_profile = {id:String})
  OR (e.anchor != 0 AND e.anchor IN (SELECT anchor FROM anchor_override WHERE to_profile IN (SELECT {id:String} UNION ALL SELECT from_profile FROM profile_override WHERE to_profile = {id:String}))))`
