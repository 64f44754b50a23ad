/** Who wants to be told of something. A listener that fails is reported and keeps the news from nobody else. */
export class Listeners<T> {
  readonly #listeners = new Set<(news: T) => void>();

  /** @returns forgets the listener */
  add(listener: (news: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(news: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(news);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
