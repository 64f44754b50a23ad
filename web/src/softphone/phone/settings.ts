import { parseJson, textOf } from "../../shared/json.ts";
import type { Ha1 } from "./kept.ts";

/** What a person signs in with. */
export interface Credentials {
  readonly dn: string;
  readonly password: string;
  /** Stands in for the password, after a reload. */
  readonly ha1?: Ha1;
  /** SIP over WebSocket address, `ws:` or `wss:`. */
  readonly server: string;
  /** Host part of our SIP address. */
  readonly domain: string;
}

/** What survives a reload of this tab: all but the password. */
export type Remembered = Omit<Credentials, "password" | "ha1">;

const REMEMBERED_KEY = "jackfield.sign-in";

/** What a page begins with that remembers nothing: the gateway that served it. @param path of SIP over WebSocket there */
export function ownGateway(at: Pick<Location, "protocol" | "host" | "hostname">, path: string): Remembered {
  const scheme = at.protocol === "https:" ? "wss" : "ws";
  return { dn: "", server: `${scheme}://${at.host}${path}`, domain: at.hostname };
}

export function remember(storage: Pick<Storage, "setItem">, { dn, server, domain }: Remembered): void {
  storage.setItem(REMEMBERED_KEY, JSON.stringify({ dn, server, domain }));
}

/** What was remembered, with this page's own gateway where nothing was. */
export function remembered(storage: Pick<Storage, "getItem">, own: Remembered): Remembered {
  const kept = parseJson(storage.getItem(REMEMBERED_KEY) ?? "");
  const or = (name: keyof Remembered): string => textOf(kept, name) || own[name];
  return { dn: or("dn"), server: or("server"), domain: or("domain") };
}
