import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

const adminRoles = ["read", "operate"] as const;
export type AdminRole = (typeof adminRoles)[number];

/** What stands for the token where a name is asked for. */
export const tokenName = "token";

/** As `jackfield hash-password` prints it (PHC string format); cost bounded, since every try is reckoned with it. */
export const scryptText = /^\$scrypt\$ln=(1[0-7]),r=([1-8]),p=([1-9]|10)\$([\w+/-]{11,86})\$([\w+/-]{43})$/;

const user = key(
  z.strictObject({
    name: key(
      z
        .string()
        .regex(/^[\w.@+-]{1,64}$/)
        .refine((name) => name.toLowerCase() !== tokenName),
      {
        text: "Name to sign in with at /admin/; stands in the audit log.",
        expects: `1 to 64 letters, digits and . _ @ + -, not "${tokenName}"`,
        example: "anna",
      },
    ),
    password: key(types.adminPassword.optional(), {
      text: "Password of that name; better passwordHash or passwordFile.",
      expects: expects.adminPassword,
      secret: true,
    }),
    passwordFile: key(types.file.optional(), { text: "File with the password.", expects: expects.file }),
    passwordHash: key(z.string().regex(scryptText).optional(), {
      text: "In place of the password: what `jackfield hash-password` prints.",
      expects: "a text that begins with $scrypt$, as jackfield hash-password prints it",
      secret: true,
    }),
    role: key(z.enum(adminRoles).default("read"), {
      text: "read: sees all. operate: may also hang up, sign out, drain, capture, issue sign-in tokens and the like.",
      expects: "read or operate",
    }),
  }),
  { text: "", expects: "a map with name, role and passwordHash (or password, or passwordFile)" },
);

export const admin = section(
  "The dashboard at /admin/ and the admin API behind it. Off unless a token or a user is set.",
  {
    token: key(types.adminToken.optional(), {
      reload: true,
      text: 'Who sends it as Authorization: Bearer, or signs in with the name "token" and it as password, may do all that the API does. Make one with: openssl rand -hex 32',
      expects: expects.adminToken,
      secret: true,
    }),
    tokenFile: key(types.file.optional(), {
      reload: true,
      text: "File with that token.",
      expects: expects.file,
    }),
    users: key(z.array(user).default([]), {
      reload: true,
      text: "People who sign in at /admin/.",
      expects: "a list of maps with name, role and passwordHash",
      example: '[{ name: anna, role: operate, passwordHash: "$scrypt$..." }]',
    }),
    sessions: section("How long a sign-in at /admin/ lasts; a restart of the gateway ends all.", {
      idleMinutes: key(z.int().min(1).max(1440).default(60), {
        text: "Minutes without a request after which it is over.",
        expects: "minutes from 1 to 1440",
      }),
      hours: key(z.number().min(0.1).max(168).default(12), {
        text: "Hours after which it is over in any case.",
        expects: "hours from 0.1 to 168",
      }),
    }),
  },
);
