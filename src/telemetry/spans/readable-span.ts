import type { Attributes as OtelAttributes, HrTime, SpanContext } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { randomId, type Random } from "../../core/index.ts";
import type { Attributes, PlannedSpan } from "./plan.ts";

/** What all spans of this process have in common. */
export interface SpanOrigin {
  readonly resource: Resource;
  /** Of Jackfield. */
  readonly version: string;
}

/** As the API numbers them (SpanKind, SpanStatusCode, TraceFlags); the package itself is not needed for three numbers. */
const kinds = { internal: 0, server: 1, client: 2 } as const;
const statusUnset = 0;
const statusError = 2;
const sampled = 1;

/** The span and all below it, each with an id, under one trace id. */
export function readableSpans(span: PlannedSpan, origin: SpanOrigin, random: Random): ReadableSpan[] {
  return family(span, origin, random, randomId(random, 16), undefined);
}

function family(
  span: PlannedSpan,
  origin: SpanOrigin,
  random: Random,
  traceId: string,
  parent: SpanContext | undefined,
): ReadableSpan[] {
  const context: SpanContext = { traceId, spanId: randomId(random, 8), traceFlags: sampled };
  const own: ReadableSpan = {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...(parent ? { parentSpanContext: parent } : {}),
    startTime: hrTime(span.start),
    endTime: hrTime(span.end),
    duration: hrTime(Math.max(0, span.end - span.start)),
    status: span.error === undefined ? { code: statusUnset } : { code: statusError, message: span.error },
    attributes: known(span.attributes),
    events: span.events.map(({ name, at, attributes }) => ({
      name,
      time: hrTime(at),
      attributes: known(attributes ?? {}),
    })),
    links: [],
    ended: true,
    resource: origin.resource,
    instrumentationScope: { name: "jackfield", version: origin.version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
  return [own, ...span.children.flatMap((child) => family(child, origin, random, traceId, context))];
}

function known(attributes: Attributes): OtelAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

/** Seconds and nanoseconds. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1_000_000)];
}
