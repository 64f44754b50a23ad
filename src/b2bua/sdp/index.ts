export { parseBrowserDescription } from "./browser-read.ts";
export { acceptBrowserAnswer, answerBrowser, offerBrowser, type BrowserPreference } from "./browser.ts";
export { answerDirection, intersectDirections, reverseDirection } from "./direction.ts";
export { carriedOpusFormat, opusFormats } from "./opus-format.ts";
export { SdpOrigin } from "./origin.ts";
export { sdpLimits } from "./text.ts";
export { parseTrunkDescription } from "./trunk-read.ts";
export { acceptTrunkAnswer, answerTrunk, offerTrunk, type TrunkPreference } from "./trunk.ts";
export type * from "./types.ts";
