import { keepCalls, takeSignIn } from "./kept.ts";

const INSTANCE_KEY = "jackfield.instance";
/** The page before gives its lock up as it goes; that may take a moment longer than it takes this one to come. */
const PATIENCE_MS = 700;

/** The part of the Web Locks API that is used here. */
export interface Locks {
  request(
    name: string,
    options: { readonly signal: AbortSignal },
    callback: () => Promise<void>,
  ): Promise<unknown>;
}

/**
 * This tab's own `+sip.instance`. A duplicated tab comes with a copy of the other's storage: it finds the instance in
 * use (Web Locks), takes a new one and leaves the other's call alone.
 */
export async function ownInstance(
  storage: Storage,
  locks: Locks | undefined,
  newUuid: () => string,
): Promise<string> {
  const kept = instanceId(storage, newUuid);
  // Insecure pages have no locks; they get no microphone, and so no call, either.
  if (locks === undefined || (await hold(locks, kept))) return kept;
  keepCalls(storage, []);
  takeSignIn(storage, 0);
  const made = newInstanceId(storage, newUuid);
  await hold(locks, made);
  return made;
}

/** Holds the lock for as long as the page lives. False when another page has it. */
async function hold(locks: Locks, instance: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const held = async (): Promise<void> => {
      resolve(true);
      await new Promise(() => {});
    };
    locks
      .request(`jackfield.instance.${instance}`, { signal: AbortSignal.timeout(PATIENCE_MS) }, held)
      .catch(() => resolve(false));
  });
}

/**
 * This tab's `+sip.instance` (RFC 5626 4.1), a UUID. Kept over reloads, so that a reloaded tab takes its own binding
 * over at the registrar and not that of another tab.
 */
export function instanceId(storage: Storage, newUuid: () => string): string {
  const kept = storage.getItem(INSTANCE_KEY);
  if (kept !== null && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(kept)) return kept;
  return newInstanceId(storage, newUuid);
}

/** Another instance in the place of the one that was kept. */
function newInstanceId(storage: Storage, newUuid: () => string): string {
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
