import { stringify } from "yaml";

const head = `# Made by jackfield import-asterisk. Holds passwords: keep it readable for the gateway only.
# Every key: docs/configuration.md. What to decide before the first call stands in the report.
`;

/** The configuration as a YAML file. */
export function configText(tree: Readonly<Record<string, unknown>>): string {
  return head + stringify(tree, { lineWidth: 0, aliasDuplicateObjects: false });
}
