import { describe, expect, test } from "vitest";
import { Turns } from "../../../src/registrar/directory/turns.ts";

describe("requests that take turns", () => {
  test("are sixteen at a time, the others in order, whether the ones before go well or not", async () => {
    const turns = new Turns();
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const taken = Array.from({ length: 40 }, (_none, index) =>
      turns.take(async () => {
        begun.push(index);
        await new Promise<void>((resolve) => void (ends[index] = resolve));
        if (index % 2 === 1) throw new Error("no answer");
        return index;
      }),
    );
    const settled = Promise.allSettled(taken);
    const numbers = (count: number): number[] => Array.from({ length: count }, (_none, index) => index);
    // Turns of the event loop, not time: all that can begin has begun by then.
    const pass = () => new Promise((resolve) => setImmediate(resolve));
    await pass();
    expect(begun).toEqual(numbers(16));
    for (let index = 0; index < 20; index++) {
      ends[index]?.();
      await pass();
      expect(begun).toEqual(numbers(17 + index));
    }
    // Who comes now is behind those, though some have gone.
    const late = turns.take(() => Promise.resolve(begun.push(99)));
    await pass();
    expect(begun).toEqual(numbers(36));
    for (let index = 20; index < 40; index++) {
      ends[index]?.();
      await pass();
    }
    await late;
    expect(begun).toEqual([...numbers(40), 99]);
    expect((await settled).filter(({ status }) => status === "fulfilled")).toHaveLength(20);
    const again = turns.take(() => Promise.resolve("free"));
    expect(await again).toBe("free");
  });
});
