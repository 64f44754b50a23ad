import { scrypt, timingSafeEqual } from "node:crypto";
import type { Random } from "../core/index.ts";

/** scrypt's cost (RFC 7914): 16 MB and some 200 ms a try; OWASP's figures for passwords of people. */
const standard = { ln: 14, r: 8, p: 5 } as const;
const saltBytes = 16;
const keyBytes = 32;
const shape = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w+/-]+)\$([\w+/-]+)$/;

/** What may stand as `admin.users[].passwordHash`: PHC string format, base64 without padding. */
export async function hashPassword(
  password: string,
  random: Random,
  cost: { readonly ln: number; readonly r: number; readonly p: number } = standard,
): Promise<string> {
  const salt = random.bytes(saltBytes);
  const key = await derive(password, salt, cost);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${text(salt)}$${text(key)}`;
}

/** Whether that is the password; false too for a text that is no hash. Works off the main thread. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, ln, r, p, salt = "", key = ""] = shape.exec(hash) ?? [];
  const wanted = Buffer.from(key, "base64");
  if (wanted.length !== keyBytes) return false;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  return timingSafeEqual(await derive(password, Buffer.from(salt, "base64"), cost), wanted);
}

function derive(password: string, salt: Buffer, { ln, r, p }: typeof standard | Cost): Promise<Buffer> {
  // Node refuses to take more memory than told; twice what the cost needs leaves room for its own.
  const options = { N: 2 ** ln, r, p, maxmem: 2 * 128 * 2 ** ln * r };
  return new Promise((resolve, reject) => {
    // One person's two keyboards may write one letter in two ways of Unicode.
    scrypt(password.normalize("NFKC"), salt, keyBytes, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

type Cost = { readonly ln: number; readonly r: number; readonly p: number };

function text(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
