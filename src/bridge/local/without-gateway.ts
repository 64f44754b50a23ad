/** An answer in WWE's shape. */
export interface WweAnswer {
  readonly status: number;
  readonly body: string;
}

const notReady = [
  { Key: "EndpointStatus", Value: "EndpointStatus_NotReady" },
  { Key: "IsPingMandatory", Value: false },
  { Key: "Status", Value: "Initialized" },
];

/** By lower-case name: questions to which the truth has a form. */
const answers: ReadonlyMap<string, object> = new Map<string, object>([
  ["getdnsip", { get_DnSIPResult: "" }],
  ["getisendpointactive", { get_IsEndpointActiveResult: false }],
  ["getsipendpointparameters", { get_SIPEndpointParametersResult: notReady }],
  ["registerdn", { RegisterDnResult: false }],
  ["unregisterdn", { UnregisterDnResult: false }],
]);

/**
 * What WWE hears while the gateway cannot be asked: that the DN is not in service, and to what cannot be answered 503. Ping is
 * among those: ten that fail tell WWE that the endpoint is lost (20 s), which is so, and less is forgiven.
 */
export function withoutGateway(name: string): WweAnswer {
  const answer = answers.get(name.toLowerCase());
  return answer === undefined
    ? { status: 503, body: '{"error":"the gateway cannot be reached"}' }
    : { status: 200, body: JSON.stringify(answer) };
}
