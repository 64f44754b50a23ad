/** What came of the records, for metrics; counts since start, but for `queued` and `bytes`. */
export interface RecordCounters {
  /** In the file. */
  readonly file: {
    readonly written: number;
    /** Attempts to write that came to nothing; they are made again. */
    readonly failed: number;
    /** Lost: more waited in memory than may. */
    readonly dropped: number;
    /** In memory, records. */
    readonly queued: number;
    /** Written in all. */
    readonly bytes: number;
  };
  /** To the webhook. */
  readonly webhook: {
    /** Answered with 2xx. */
    readonly written: number;
    /** Requests that were not; they are made again. */
    readonly failed: number;
    /** Lost: the queue was full, or could not be written for long. */
    readonly dropped: number;
    /** Refused for good by the receiver: in the file dead-letter.jsonl. */
    readonly refused: number;
    /** Waiting on disk or for the disk, records and bytes. */
    readonly queued: number;
    readonly bytes: number;
  };
}
