import { receives, sends, type Direction } from "../../media/index.ts";

/** The same stream seen from the other end. */
export function reverseDirection(direction: Direction): Direction {
  if (direction === "sendonly") return "recvonly";
  return direction === "recvonly" ? "sendonly" : direction;
}

/** What both allow, both seen from the same end. */
export function intersectDirections(one: Direction, other: Direction): Direction {
  const send = sends(one) && sends(other);
  const receive = receives(one) && receives(other);
  if (send) return receive ? "sendrecv" : "sendonly";
  return receive ? "recvonly" : "inactive";
}

/**
 * Direction of our answer, from our point of view (RFC 3264 6.1): the offerer's reversed, less what we do not want.
 * An offered `sendonly` can only become `recvonly` or `inactive`, `inactive` only itself.
 */
export function answerDirection(offered: Direction, wanted: Direction): Direction {
  return intersectDirections(reverseDirection(offered), wanted);
}
