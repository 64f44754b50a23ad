export type * from "./contract.ts";
export type { OtherVariant, WrtcAnswer, WrtcRequest } from "./http/exchange.ts";
export type { DnLogin, LoginVerdict, OwnSession, OwnSignIn } from "./http/sign-in.ts";
export { SimpleVariant, type SimpleVariantOptions } from "./simple/variant.ts";
export { Wrtc, type WrtcFigures, type WrtcOptions, type WrtcRoutes, type WrtcTerms } from "./wrtc.ts";
export { createClientCalls, type ClientCallServices } from "./calls/client-calls.ts";
export { WrtcLegs } from "./calls/wrtc-legs.ts";
