import { describe, expect, it } from "vitest";
import { instanceId, ownInstance, type Locks } from "../../web/src/softphone/phone/instance.ts";
import {
  keepCalls,
  keepSignIn,
  keptCalls,
  takeSignIn,
  type KeptCall,
} from "../../web/src/softphone/phone/kept.ts";

/** `sessionStorage` of one tab. */
function storage(): Storage {
  const entries = new Map<string, string>();
  return {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
    removeItem: (key: string) => void entries.delete(key),
    clear: () => entries.clear(),
    key: () => null,
    length: 0,
  };
}

/** Web Locks of one browser, as far as they are used here. */
function locks(): Locks {
  const held = new Set<string>();
  const request = async (name: string, _options: unknown, callback: () => Promise<void>): Promise<void> => {
    if (held.has(name)) throw new DOMException("timed out", "TimeoutError");
    held.add(name);
    await callback();
  };
  return { request };
}

const call: KeptCall = {
  dn: "5001",
  token: "abc",
  direction: "in",
  peer: "1003",
  lines: [["P-Asserted-Identity", "x"]],
  since: 5,
  held: true,
  muted: true,
};
let made = 0;
const newUuid = (): string => `00000000-0000-4000-8000-${String(++made).padStart(12, "0")}`;

describe("what a tab keeps over a reload", () => {
  it("is its calls, until they are over", () => {
    const tab = storage();
    keepCalls(tab, [call, call]);
    expect(keptCalls(tab)).toEqual([call, call]);
    keepCalls(tab, []);
    expect(keptCalls(tab)).toEqual([]);
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    "7",
    '{"calls":7}',
    '{"calls":[{"dn":"5001"},null,7]}',
    '{"calls":[{"dn":5001,"token":"a","since":1}]}',
  ])("is nothing where the storage holds %s", (text) => {
    const tab = storage();
    tab.setItem("jackfield.calls", text);
    tab.setItem("jackfield.return", text);
    expect(keptCalls(tab)).toEqual([]);
    expect(takeSignIn(tab, 0)).toBeUndefined();
  });

  it("is the sign-in for half a minute, and it is given out once", () => {
    const tab = storage();
    const ha1 = { user: "5001;exp=1;id=a", realm: "r", value: "h" };
    keepSignIn(tab, ha1, 1000);
    expect(takeSignIn(tab, 31_000)).toEqual(ha1);
    expect(takeSignIn(tab, 31_000)).toBeUndefined();
    keepSignIn(tab, ha1, 1000);
    expect(takeSignIn(tab, 31_001)).toBeUndefined();
    expect(tab.getItem("jackfield.return")).toBeNull();
  });
});

describe("a tab's instance", () => {
  it("is kept over a reload, with the call", async () => {
    const tab = storage();
    const first = await ownInstance(tab, locks(), newUuid);
    keepCalls(tab, [call, call]);
    // The page before is gone, and its locks with it.
    expect(await ownInstance(tab, locks(), newUuid)).toBe(first);
    expect(keptCalls(tab)).toEqual([call, call]);
  });

  it("is another in a duplicated tab, which has neither call nor sign-in then", async () => {
    const tab = storage();
    const browser = locks();
    const first = await ownInstance(tab, browser, newUuid);
    // Chromium copies the storage of the tab that is duplicated.
    keepCalls(tab, [call, call]);
    keepSignIn(tab, { realm: "r", value: "h" }, 0);
    const second = await ownInstance(tab, browser, newUuid);
    expect(second).not.toBe(first);
    expect(instanceId(tab, newUuid)).toBe(second);
    expect(keptCalls(tab)).toEqual([]);
    expect(takeSignIn(tab, 0)).toBeUndefined();
  });

  it("is what it was where the page has no locks (insecure: no call is possible there)", async () => {
    const tab = storage();
    const first = await ownInstance(tab, undefined, newUuid);
    expect(await ownInstance(tab, undefined, newUuid)).toBe(first);
  });
});
