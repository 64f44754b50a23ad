/** What a person signs in with. */
export interface Credentials {
  readonly dn: string;
  readonly password: string;
  /** SIP over WebSocket address, `ws:` or `wss:`. */
  readonly server: string;
  /** Host part of our SIP address. */
  readonly domain: string;
}

/** What survives a reload of this tab: all but the password. */
export type Remembered = Omit<Credentials, "password">;

const INSTANCE_KEY = "jackfield.instance";
const REMEMBERED_KEY = "jackfield.sign-in";

/** Address of the gateway that served this page. */
export function defaultServer(at: Pick<Location, "protocol" | "host">): string {
  return `${at.protocol === "https:" ? "wss" : "ws"}://${at.host}/ws`;
}

/**
 * This tab's `+sip.instance` (RFC 5626 4.1), a UUID. Kept over reloads, so that a reloaded tab takes its own binding
 * over at the registrar and not that of another tab.
 */
export function instanceId(storage: Storage, newUuid: () => string): string {
  const kept = storage.getItem(INSTANCE_KEY);
  if (kept !== null && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(kept)) return kept;
  const made = newUuid();
  storage.setItem(INSTANCE_KEY, made);
  return made;
}

/** A version 4 UUID. Not `crypto.randomUUID`, which insecure pages lack: those must get as far as being told so. */
export function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte, at) => {
    if (at === 6) return ((byte & 0x0f) | 0x40).toString(16).padStart(2, "0");
    if (at === 8) return ((byte & 0x3f) | 0x80).toString(16).padStart(2, "0");
    return byte.toString(16).padStart(2, "0");
  });
  return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
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
