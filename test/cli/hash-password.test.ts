import { Readable } from "node:stream";
import { expect, it, vi } from "vitest";
import { runHashPassword } from "../../src/cli/hash-password.ts";
import { scryptText } from "../../src/config/index.ts";

it("hash-password prints what the configuration takes for the first line of its input, and nothing for a short one", async () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
  const printed: string[] = [];
  const hash = (input: string) => runHashPassword(Readable.from([input]), (text) => void printed.push(text));
  expect(await hash("correct horse battery\nmore\n")).toBe(0);
  expect(printed).toEqual([expect.stringMatching(scryptText)]);
  for (const short of ["short\n", ""]) expect(await hash(short)).toBe(1);
  expect(printed).toHaveLength(1);
  expect(complaint).toHaveBeenCalledTimes(2);
  complaint.mockRestore();
});
