/** Answers in the form and to the byte as Genesys Softphone gives them (wwe-endpoint-and-gws-api.md A2): compact JSON. */
export const answers = {
  nothing: "{}",
  dn: (dn: string) => JSON.stringify({ get_DnSIPResult: dn }),
  registered: (taken: boolean) => `{"RegisterDnResult":${taken}}`,
  unregistered: '{"UnregisterDnResult":true}',
  active: (active: boolean) => `{"get_IsEndpointActiveResult":${active}}`,
  parameters: (active: boolean) =>
    `{"get_SIPEndpointParametersResult":[{"Key":"EndpointStatus","Value":"EndpointStatus_${active ? "Ready" : "NotReady"}"},{"Key":"IsPingMandatory","Value":false},{"Key":"Status","Value":"Initialized"}]}`,
  ping: '{"PingResult":[]}',
  done: (name: string, ok: boolean) => JSON.stringify({ [`${name}Result`]: ok }),
  value: (name: string, value: unknown) => JSON.stringify({ [`get_${name}Result`]: value }),
} as const;
