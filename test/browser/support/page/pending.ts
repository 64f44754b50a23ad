/** A promise with its two ends outside. */
export interface Pending<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function pending<T>(): Pending<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  // Nobody may be waiting when it fails: that alone is no error.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** Values for whoever asks next, kept until asked for. */
export class Mailbox<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  put(value: T): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#values.push(value);
    else waiter(value);
  }

  async next(): Promise<T> {
    const kept = this.#values.shift();
    if (kept !== undefined) return kept;
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }
}
