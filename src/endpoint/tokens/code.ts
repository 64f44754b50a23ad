import type { Random } from "../../core/index.ts";

/** Crockford's 32 without I, L, O, U: read out by telephone and typed. */
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const groups = 3;
const groupLength = 4;

/** `7K2M-Q9XD-04VT`: 60 bits. */
export function newCode(random: Random): string {
  const text = Array.from(random.bytes(groups * groupLength), (byte) => letters[byte % letters.length]).join(
    "",
  );
  return Array.from({ length: groups }, (_none, at) =>
    text.slice(at * groupLength, (at + 1) * groupLength),
  ).join("-");
}

/** A code as it may have been typed, without what does not count. */
export function plainCode(typed: string): string {
  return typed
    .slice(0, 64)
    .toUpperCase()
    .replaceAll(/[\s-]/g, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
}
