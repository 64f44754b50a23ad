/** How many server transactions may live at once; a request beyond is answered 503 and forgotten. */
export interface TransactionLimits {
  /** Of all flows together. Requests within a dialog get a quarter more, so that BYE still ends calls. */
  readonly serverTransactions: number;
  /** Of one browser's connection, so that one browser cannot take everybody's share. */
  readonly serverTransactionsPerConnection: number;
  /** Seconds in the 503's Retry-After. */
  readonly retryAfterSeconds: number;
}

/** Far above what a site of some thousand agents makes, far below what memory bears. */
export const defaultTransactionLimits: TransactionLimits = {
  serverTransactions: 20_000,
  serverTransactionsPerConnection: 200,
  retryAfterSeconds: 5,
};
