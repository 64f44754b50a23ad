import { takeFrom, type Address, type AddressBar } from "../phone/sign-in-address.ts";
import { takeSession } from "./kept.ts";
import type { EndpointParts } from "./open.tsx";
import { PAGE_KEY } from "./wire.ts";

/** Takes the endpoint's token out of the address, before anything else can read it there; empty: none. */
export function takeEndpointFrom(address: Address, history: AddressBar): string {
  return takeFrom(address, history, [PAGE_KEY]).get(PAGE_KEY)?.trim() ?? "";
}

/**
 * Where the address asks for it, or the page before this reload did, the page carries the sound for Workspace; else nothing
 * of it is even loaded. @returns begins it with the token of another address
 */
export function hookEndpoint(parts: EndpointParts, token: string): (token: string) => void {
  const kept = takeSession(sessionStorage, Date.now());
  const load = async (): Promise<(token: string) => void> => {
    const { openEndpoint } = await import("./open.tsx");
    return openEndpoint(parts, kept);
  };
  let opened: ReturnType<typeof load> | undefined;
  const begin = (asked: string): void => {
    if (asked === "" && (opened !== undefined || kept === undefined)) return;
    // Calls are controlled in Workspace.
    parts.softphone.mode = "audio";
    (opened ??= load()).then(
      (open) => open(asked),
      () =>
        parts.softphone.notices.tell(
          "What carries the sound for Workspace did not load. Reload the page.",
          true,
        ),
    );
  };
  begin(token);
  return begin;
}
