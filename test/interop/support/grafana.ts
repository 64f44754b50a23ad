import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dockerFolder } from "./prometheus.ts";

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(join(dockerFolder, "grafana/dashboards/jackfield.json"), "utf8"));
}

/** Every query of the dashboard as Grafana would send it, all gateways chosen, with the panel's title. */
export function queriesOf({ panels }: Dashboard): { readonly panel: string; readonly query: string }[] {
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      query: expr.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m"),
    })),
  );
}

const dataSource = {
  type: "object",
  properties: { type: { const: "prometheus" }, uid: { const: "${datasource}" } },
  required: ["type", "uid"],
};

const gridPos = {
  type: "object",
  properties: {
    h: { type: "integer", minimum: 1 },
    w: { type: "integer", minimum: 1, maximum: 24 },
    x: { type: "integer", minimum: 0, maximum: 23 },
    y: { type: "integer", minimum: 0 },
  },
  required: ["h", "w", "x", "y"],
  additionalProperties: false,
};

const target = {
  type: "object",
  properties: {
    refId: { type: "string", pattern: "^[A-Z]$" },
    datasource: dataSource,
    expr: { type: "string", minLength: 1 },
    legendFormat: { type: "string" },
    instant: { type: "boolean" },
    range: { type: "boolean" },
  },
  required: ["refId", "datasource", "expr", "legendFormat"],
  additionalProperties: false,
};

const panel = {
  type: "object",
  properties: { id: { type: "integer", minimum: 1 }, title: { type: "string", minLength: 1 }, gridPos },
  required: ["id", "type", "title", "gridPos"],
  oneOf: [
    {
      properties: { type: { const: "row" }, collapsed: { const: false }, panels: { maxItems: 0 } },
      required: ["collapsed", "panels"],
    },
    {
      properties: {
        type: { enum: ["timeseries", "stat"] },
        datasource: dataSource,
        fieldConfig: {
          type: "object",
          properties: {
            defaults: { type: "object", required: ["unit"] },
            overrides: { type: "array" },
          },
          required: ["defaults", "overrides"],
        },
        options: { type: "object" },
        targets: { type: "array", minItems: 1, items: target },
      },
      required: ["datasource", "fieldConfig", "options", "targets"],
    },
  ],
};

/** What Grafana needs to take a dashboard from a file (JSON model, schema version 39). */
export const dashboardSchema = {
  type: "object",
  properties: {
    uid: { type: "string", pattern: "^[a-zA-Z0-9_-]{1,40}$" },
    title: { type: "string", minLength: 1 },
    schemaVersion: { type: "integer", minimum: 36 },
    version: { type: "integer" },
    time: { type: "object", required: ["from", "to"] },
    templating: {
      type: "object",
      properties: {
        list: {
          type: "array",
          items: { type: "object", required: ["name", "type", "query", "current"] },
        },
      },
      required: ["list"],
    },
    annotations: { type: "object", required: ["list"] },
    panels: { type: "array", minItems: 1, items: panel },
  },
  required: ["uid", "title", "schemaVersion", "time", "templating", "annotations", "panels"],
  // A file with an id would stand for a dashboard of one certain Grafana.
  not: { required: ["id"] },
};
