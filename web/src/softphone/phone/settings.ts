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

/** Address of the gateway that served this page. */
export function defaultServer(at: Pick<Location, "protocol" | "host">): string {
  return `${at.protocol === "https:" ? "wss" : "ws"}://${at.host}/ws`;
}

export function remember(storage: Storage, { dn, server, domain }: Remembered): void {
  storage.setItem(REMEMBERED_KEY, JSON.stringify({ dn, server, domain }));
}

/** What was remembered, with this page's own server where nothing was. */
export function remembered(
  storage: Storage,
  at: Pick<Location, "protocol" | "host" | "hostname">,
): Remembered {
  const own = { dn: "", server: defaultServer(at), domain: at.hostname };
  try {
    const kept: unknown = JSON.parse(storage.getItem(REMEMBERED_KEY) ?? "{}");
    if (typeof kept !== "object" || kept === null) return own;
    const text = (key: keyof Remembered): string => {
      const value: unknown = Reflect.get(kept, key);
      return typeof value === "string" && value !== "" ? value : own[key];
    };
    return { dn: text("dn"), server: text("server"), domain: text("domain") };
  } catch {
    return own;
  }
}
