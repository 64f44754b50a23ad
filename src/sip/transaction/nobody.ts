import type { ClientHandlers } from "./types.ts";

/** For a request whose answer nobody waits for. */
export const nobodyWaits: ClientHandlers = { onResponse() {}, onTimeout() {}, onTransportError() {} };
