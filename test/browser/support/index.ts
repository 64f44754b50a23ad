export { launchBrowser, type BrowserOptions, type TestBrowser } from "./browser.ts";
export type {
  Account,
  CallEnd,
  ClientName,
  IncomingCall,
  Microphone,
  Notification,
} from "./page/contract.ts";
export { bundleClient, serveFolder, serveTestPages, type PageServer } from "./pages.ts";
export { openPhone, PhonePage, type WireFrame } from "./phone-page.ts";
export { cut, level, loudPart, shareOfTone, tone, type Samples } from "./samples.ts";
export { clients, framesOf, Lab, until, type WiredPhone } from "./lab.ts";
export { asSamples, decodeOpus, forPage, heardByNumber, likeness } from "./hearing.ts";
