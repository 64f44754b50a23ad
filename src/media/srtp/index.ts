export {
  maxOverheadBytes,
  maxPacketBytes,
  masterKeyBytes,
  masterSaltBytes,
  shortTagProfile,
  srtpFailure,
  srtpFailureName,
  srtpProfileName,
  srtpProfiles,
  type SrtpFailureName,
  type SrtpKeys,
  type SrtpProfile,
} from "./profile.ts";
export { createSrtpReceiver, createSrtpSender, type SrtpReceiver, type SrtpSender } from "./session.ts";
