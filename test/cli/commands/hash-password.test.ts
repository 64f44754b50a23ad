import { Readable } from "node:stream";
import { createHash } from "node:crypto";
import { expect, it, vi } from "vitest";
import { runHa1, runHashPassword } from "../../../src/cli/commands/hash-password.ts";
import { scryptText } from "../../../src/config/index.ts";

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

it("ha1 prints a line of the accounts file, as htdigest would, with both hashes", async () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
  const printed: string[] = [];
  const ha1 = (input: string) =>
    runHa1("5001", "jackfield", Readable.from([input]), (text) => void printed.push(text));
  expect(await ha1("correct horse\n")).toBe(0);
  const hash = (name: string) => createHash(name).update("5001:jackfield:correct horse").digest("hex");
  expect(printed).toEqual([`5001:jackfield:${hash("md5")}:${hash("sha256")}`]);
  expect(await ha1("\n")).toBe(1);
  complaint.mockRestore();
});
