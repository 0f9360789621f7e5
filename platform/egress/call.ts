import { connect, type Socket } from 'node:net'

/** A connection to exactly the address that `Egress.lookUp` gave, for a driver that takes one: the driver keeps the name, which TLS is proven for. */
export function callAt(place: { address: string; port: number }): Socket {
  const socket = connect(place.port, place.address)
  socket.setNoDelay(true)
  return socket
}
