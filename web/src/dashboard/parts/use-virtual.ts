import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

export interface VirtualRows {
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Rows in sight and a few around them. */
  readonly items: readonly VirtualItem[];
  readonly totalHeight: number;
}

/** Rows of one height, of which only those in sight are in the document. */
export function useVirtual(count: number, rowHeight: number, keyOf: (index: number) => string): VirtualRows {
  const scroller = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((times: number, _event: void) => times + 1, 0);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: keyOf,
    overscan: 8,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => draw(),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLDivElement, Element>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  // Turned to another height: the phone's.
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, rowHeight]);
  return { scroller, items: virtualizer.getVirtualItems(), totalHeight: virtualizer.getTotalSize() };
}
