import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

/** What the gateway itself can check a signature by. */
const jwtAlgorithms = ["HS256", "RS256", "ES256"] as const;
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

const fetchedFrom = "an address that begins with https:// (http:// on loopback only)";
const address = z.string().max(1024).refine(isHttpUrl);
const claimText = z.string().regex(/^[^\p{Cc}]{1,256}$/u);
const allowInsecure = (what: string) =>
  key(z.boolean().default(false), {
    text: `RISK: ${what} by plain HTTP from another host: who can stand in between signs in as whom he likes.`,
    expects: expects.boolean,
  });
const timeoutSeconds = key(types.seconds(0.5, 10).default(3), {
  text: "Seconds an answer is waited for.",
  expects: "seconds from 0.5 to 10",
});

const jwt = key(
  z
    .strictObject({
      issuer: key(claimText, {
        text: "What `iss` must say.",
        expects: "a text",
        example: '"https://login.example.com/"',
      }),
      audience: key(claimText, {
        text: "What `aud` must say, or hold. Take a name that the identity provider gives to nothing else.",
        expects: "a text",
        example: '"jackfield"',
      }),
      dnClaim: key(claimText.default("dn"), {
        text: "Claim with the DN, a text.",
        expects: "the name of a claim",
      }),
      secret: key(z.string().min(32).max(256).optional(), {
        text: "HS256: secret shared with who makes the tokens.",
        expects: "a text of 32 to 256 characters",
        secret: true,
        reload: true,
      }),
      secretFile: key(types.file.optional(), {
        text: "File with that secret. Read again when it changes.",
        expects: expects.file,
        reload: true,
      }),
      publicKeyFile: key(types.file.optional(), {
        text: "RS256, ES256: PEM file with the public key, or the certificate, of who makes the tokens. Read again when it changes.",
        expects: expects.file,
        reload: true,
        example: "/etc/jackfield/identity.pem",
      }),
      jwksUrl: key(address.optional(), {
        text: "RS256, ES256: where the identity provider tells its public keys (JWKS, RFC 7517).",
        expects: fetchedFrom,
        example: '"https://login.example.com/jwks.json"',
      }),
      allowInsecure: allowInsecure("keys"),
      algorithms: key(z.array(z.enum(jwtAlgorithms)).min(1).optional(), {
        text: "Algorithms taken; no others are, whatever a token says of itself.",
        expects: "a list of HS256 or of RS256, ES256",
        defaultText: "`[HS256]` with a secret, else `[RS256]`",
      }),
      clockSkewSeconds: key(types.seconds(0, 300).default(30), {
        text: "By how much the identity provider's clock may differ; seconds.",
        expects: "seconds from 0 to 300",
      }),
      maxAgeSeconds: key(types.seconds(10, 86_400).optional(), {
        text: "Tokens made longer ago (`iat`) are refused, though they have not expired. Left out: `exp` alone counts.",
        expects: "seconds from 10 to 86400",
      }),
      timeoutSeconds,
    })
    .optional(),
  {
    text: "Sign-in by JSON Web Tokens (RFC 7519) of an identity provider (docs/accounts.md). Left out: none.",
    expects: "a map with issuer, audience and one of secret, secretFile, publicKeyFile, jwksUrl",
  },
);

const lookup = key(
  z
    .strictObject({
      url: key(address, {
        text: 'Asked for a DN that stands nowhere here. With {dn} in it: GET, the DN put in; without: POST of {"dn":"..."}.',
        expects: fetchedFrom,
        example: '"https://directory.example.com/agents/{dn}"',
      }),
      allowInsecure: allowInsecure("passwords' hashes"),
      header: key(
        z
          .string()
          .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/)
          .default("Authorization"),
        {
          text: "Header that carries the secret: Authorization as `Bearer ...`, any other as it is.",
          expects: "the name of a header",
          example: "X-Api-Key",
        },
      ),
      secret: key(types.adminToken.optional(), {
        text: "What the gateway shows who it is by. Left out: nothing.",
        expects: expects.adminToken,
        secret: true,
      }),
      secretFile: key(types.file.optional(), { text: "File with that secret.", expects: expects.file }),
      timeoutSeconds,
      cacheSeconds: key(types.seconds(1, 86_400).default(300), {
        text: "Seconds an answer holds before a sign-in asks anew.",
        expects: "seconds from 1 to 86400",
      }),
      negativeCacheSeconds: key(types.seconds(1, 3600).default(30), {
        text: "Seconds a DN that is none (404) is not asked for again.",
        expects: "seconds from 1 to 3600",
      }),
      staleSeconds: key(types.seconds(0, 604_800).default(86_400), {
        text: "Seconds an answer still holds while the directory cannot be reached.",
        expects: "seconds from 0 to 604800",
      }),
    })
    .optional(),
  {
    text: "A directory of agents, asked over HTTP (docs/accounts.md). Read at start. Left out: none.",
    expects: "a map with url",
  },
);

const loginLimits = section(
  "Wrong passwords and forged tokens: how many are borne, and of whom (docs/accounts.md).",
  {
    perAccount: key(z.int().min(1).max(10_000).default(10), {
      text: "Wrong passwords from one address for one DN; what comes then is refused unread.",
      expects: "a number from 1 to 10000",
    }),
    perAddress: key(z.int().min(1).max(100_000).default(100), {
      text: "Wrong passwords from one address for all DNs together.",
      expects: "a number from 1 to 100000",
    }),
    perDn: key(z.int().min(1).max(100_000).default(50), {
      text: "Wrong passwords for one DN from all addresses together. Addresses from which that DN has signed in since the start are let through all the same.",
      expects: "a number from 1 to 100000",
    }),
    forgiveSeconds: key(types.seconds(1, 3600).default(30), {
      text: "One of them is forgiven after so many seconds.",
      expects: "seconds from 1 to 3600",
    }),
    neverBan: key(
      z.array(key(types.ipv4OrNet, { text: "", expects: "an IPv4 address or net" })).default([]),
      {
        text: "Addresses and nets that are never shut out as a whole: a proxy, a site's NAT. One DN from there still is.",
        expects: "a list of IPv4 addresses and nets",
        example: '["10.0.0.0/8"]',
      },
    ),
  },
);

/** Where accounts come from beside `agents.accounts` and `ranges`, and how guessing is slowed: keys of `agents`. */
export const accountSourceKeys = {
  accountsFile: key(types.file.optional(), {
    text: "File with a line for each further DN: dn:password, or dn:realm:HA1 as htdigest writes it (docs/accounts.md). Read again when it changes.",
    expects: expects.file,
    example: "/etc/jackfield/agents",
  }),
  jwt,
  lookup,
  loginLimits,
};

function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\/[^\s]+$/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}
