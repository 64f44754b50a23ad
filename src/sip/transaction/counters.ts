/** What the transaction layer counts, each from the start of the process. */
export interface TransactionCounters {
  requestsReceived: number;
  responsesReceived: number;
  /** Datagrams or frames of CRLF only (RFC 5626 3.5.1), dropped. */
  keepAlives: number;
  /** Messages that could not be parsed, answered or not. */
  parseErrors: number;
  /** Of these, requests answered with 400, 505, 513 ... without a transaction. */
  parseErrorsAnswered: number;
  /** Responses that match no transaction of ours: branch, sent-by or flow differ, or two Vias. */
  strayResponses: number;
  /** ACKs that came where none was expected, dropped. */
  strayAcks: number;
  /** CANCELs that match no INVITE, answered 481. */
  strayCancels: number;
  /** Same request by two ways (RFC 3261 8.2.2.2), answered 482. */
  mergedRequests: number;
  /** Requests beyond the limits, answered 503. */
  overloadRejections: number;
  /** Request and response retransmissions received and not passed up. */
  retransmissionsAbsorbed: number;
  /** Messages sent again by timers A, E and G or for an absorbed retransmission. */
  retransmissionsSent: number;
  /** Timers B and F: nobody answered. */
  clientTimeouts: number;
  /** Timer H: no ACK came for a non-2xx. */
  ackTimeouts: number;
  /** Non-INVITE requests the user never responded to. */
  unanswered: number;
  /** Responses the state machine refused: a second final one, or one after the end. */
  responsesRefused: number;
  transportErrors: number;
  /** A callback of the user threw. */
  handlerErrors: number;
}

export function newTransactionCounters(): TransactionCounters {
  return {
    requestsReceived: 0,
    responsesReceived: 0,
    keepAlives: 0,
    parseErrors: 0,
    parseErrorsAnswered: 0,
    strayResponses: 0,
    strayAcks: 0,
    strayCancels: 0,
    mergedRequests: 0,
    overloadRejections: 0,
    retransmissionsAbsorbed: 0,
    retransmissionsSent: 0,
    clientTimeouts: 0,
    ackTimeouts: 0,
    unanswered: 0,
    responsesRefused: 0,
    transportErrors: 0,
    handlerErrors: 0,
  };
}
