import { beforeEach, expect, it } from "vitest";
import { keepSession, takeSession } from "../../../web/src/softphone/endpoint/kept.ts";

const kept = { session: "s", microphoneMuted: true, microphoneVolume: 0.3, speakerMuted: false };
let stored: Map<string, string>;
const storage = {
  getItem: (name: string) => stored.get(name) ?? null,
  setItem: (name: string, value: string) => void stored.set(name, value),
  removeItem: (name: string) => void stored.delete(name),
};
beforeEach(() => void (stored = new Map()));

it("is there for the page of the reload, once, and for half a minute", () => {
  keepSession(storage, kept, 1000);
  expect(takeSession(storage, 2000)).toEqual(kept);
  expect(stored.size).toBe(0);
  expect(takeSession(storage, 2000)).toBeUndefined();
  keepSession(storage, kept, 1000);
  expect(takeSession(storage, 31_001)).toBeUndefined();
  expect(stored.size).toBe(0);
});

it("is nothing where something else lies there", () => {
  for (const text of ["", "{", "null", "{}", '{"session":5,"until":9999}', '{"session":"s"}']) {
    stored.set("jackfield.endpoint", text);
    expect(takeSession(storage, 1000)).toBeUndefined();
  }
});
