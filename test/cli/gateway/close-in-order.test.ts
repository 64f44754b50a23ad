import { expect, it } from "vitest";
import { closeInOrder, closeTogether } from "../../../src/cli/gateway/close-in-order.ts";

const failing = (word: string) => () => Promise.reject(new Error(word));

it("closes what stands behind a part that cannot be closed, one after the other, and tells of all that failed", async () => {
  const closed: string[] = [];
  const ended = closeInOrder([
    failing("disk full"),
    async () => {
      await Promise.resolve();
      closed.push("socket");
    },
    () => {
      throw new Error("no such worker");
    },
    () => void closed.push("worker"),
  ]);
  await expect(ended).rejects.toThrow("Error: disk full; Error: no such worker");
  expect(closed).toEqual(["socket", "worker"]);
});

it("closes side by side what has nothing to do with each other: a slow one holds up no other", async () => {
  const slow = Promise.withResolvers<void>();
  const closed: string[] = [];
  const ended = closeTogether([
    () => slow.promise,
    failing("receiver is down"),
    () => void closed.push("file"),
  ]);
  expect(closed).toEqual(["file"]);
  slow.resolve();
  await expect(ended).rejects.toThrow("receiver is down");
});

it("resolves where all could be closed", async () => {
  await expect(
    closeInOrder([() => undefined, () => closeTogether([() => undefined])]),
  ).resolves.toBeUndefined();
});
