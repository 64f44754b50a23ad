/** What a configuration may have at most; more was made to hurt, or is no configuration. */
export const limits = {
  /** Asterisk itself reads no longer lines. */
  lineCharacters: 8192,
  /** All files together. */
  lines: 300_000,
  files: 200,
  includeDepth: 10,
  sections: 50_000,
  /** With those taken over from templates. */
  settings: 1_000_000,
  /** `+=`: each looks through the section for what it adds to. */
  additions: 1000,
  /** Told one by one; more of them are counted. */
  problems: 200,
} as const;
