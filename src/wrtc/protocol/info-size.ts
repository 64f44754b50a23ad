/**
 * Longest body of an INFO toward SIP Server, bytes: a dozen fragments by UDP, and about as much user data as a T-Server
 * keeps of a call unless it is told otherwise. The protocol itself has no limit.
 */
export const longestInfo = 16_384;
