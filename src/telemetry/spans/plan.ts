/** A value of an attribute as OTLP knows them. */
export type Attribute = string | number | boolean;
/** What is not known is left out when the span is made. */
export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/** Something that happened within a span. `at`: ms since 1970, with fractions. */
export interface PlannedEvent {
  readonly name: string;
  readonly at: number;
  readonly attributes?: Attributes;
}

/** A span to be sent; times in ms since 1970, with fractions. */
export interface PlannedSpan {
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly events: readonly PlannedEvent[];
  /** Why it failed; undefined: it did not. */
  readonly error?: string | undefined;
  readonly children: readonly PlannedSpan[];
}
