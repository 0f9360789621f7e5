import type { Identifier } from '../../../lib/identifiers/identifiers.ts'

/**
 * How well what an event says is proven. 0: a device that names no user id; anybody can copy the public write key and say it. 1: a device that names
 * one. 2: a source whose key is not public (server, CRM, newsletter list, Interlock itself).
 */
export type Standing = 0 | 1 | 2

/** Where a person can be reached. A device without a user id proves nothing about whose it is. */
export const isContact = ({ type }: Pick<Identifier, 'type'>) => type === 'email' || type === 'phone'
/** What two people may use one after the other. */
export const isDevice = ({ type }: Pick<Identifier, 'type'>) => type === 'anonymous_id' || type === 'device_id'

/** Why a device that names no user id links no address. */
export const unproven = 'a device that names no user id does not say whose address it is'
