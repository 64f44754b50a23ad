import { rtcConfiguration, type IceSetup } from "./ice-setup.ts";

/** Seconds of RFC 4028 refreshes: long, because JsSIP ends the call when a refresh falls into a lost socket. */
const SESSION_EXPIRES_S = 1800;

/** What both `answer` and `call` of JsSIP take: sound only. */
export function callOptions(ice: IceSetup): {
  mediaConstraints: MediaStreamConstraints;
  pcConfig: RTCConfiguration;
  sessionTimersExpires: number;
} {
  return {
    mediaConstraints: { audio: true, video: false },
    pcConfig: { ...rtcConfiguration(ice), bundlePolicy: "max-bundle" },
    sessionTimersExpires: SESSION_EXPIRES_S,
  };
}
