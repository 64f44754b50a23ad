/** SRTP protection profiles of RFC 5764 4.1.2 and RFC 7714 14.2 by the numbers DTLS negotiates. */
export const srtpProfiles = { aesCm128HmacSha1Tag80: 0x0001, aeadAes128Gcm: 0x0007 } as const;

/** SRTP_AES128_CM_HMAC_SHA1_32 (RFC 5764 4.1.2): never by DTLS, only where SIP Server's side chooses it by SDES. */
export const shortTagProfile = 0x0002;

export type SrtpProfile = (typeof srtpProfiles)[keyof typeof srtpProfiles];

/** Its name in the registry of RFC 5764. */
export function srtpProfileName(profile: SrtpProfile): string {
  return profile === srtpProfiles.aeadAes128Gcm ? "SRTP_AEAD_AES_128_GCM" : "SRTP_AES128_CM_HMAC_SHA1_80";
}

/** Length of the master key of all profiles, bytes. */
export const masterKeyBytes = 16;

/** Length of a profile's master salt, bytes (RFC 3711 8.2: 112 bits; RFC 7714 12: 96 bits). */
export function masterSaltBytes(profile: SrtpKeys["profile"]): number {
  return profile === srtpProfiles.aeadAes128Gcm ? 12 : 14;
}

/** What one direction's stream is secured with. */
export interface SrtpKeys {
  readonly profile: SrtpProfile | typeof shortTagProfile;
  /** Master key, 16 bytes. */
  readonly key: Buffer;
  /** Master salt, 14 bytes (AES-CM) or 12 (GCM). */
  readonly salt: Buffer;
}

/** Most bytes a protected packet may add to a plain one: GCM's tag and SRTCP's index word. */
export const maxOverheadBytes = 20;

/** Header of an RTCP packet that SRTCP leaves in the clear (RFC 3711 3.4), bytes. */
export const rtcpHeaderBytes = 8;

/** Longest packet taken, bytes: no browser sends more than its path carries (about 1500). */
export const maxPacketBytes = 2048;

/**
 * Why a packet was not taken, returned in the place of a length.
 * `authentication`: the tag is wrong. `replay`: this index was seen or is older than the window.
 * `malformed`: not an RTP or RTCP packet, or too long or short. `tooManySources`: authentic, but the session has
 * its full number of SSRCs. `exhausted`: the key's packet limit is reached (RFC 3711 9.2).
 */
export const srtpFailure = {
  authentication: -1,
  replay: -2,
  malformed: -3,
  tooManySources: -4,
  exhausted: -5,
} as const;

export type SrtpFailureName = keyof typeof srtpFailure;

const failureNames: readonly SrtpFailureName[] = [
  "authentication",
  "replay",
  "malformed",
  "tooManySources",
  "exhausted",
];

/** The counter's name for a negative result of `protect` or `unprotect`. */
export function srtpFailureName(code: number): SrtpFailureName {
  return failureNames[-code - 1] ?? "malformed";
}
