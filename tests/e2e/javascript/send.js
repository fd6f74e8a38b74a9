// Sends the events of standard input (a JSON array) with the official CloudEvents SDK:
// each in binary and in structured mode, then all of them as one batch. Prints what is
// answered, a JSON value a line.
"use strict";
const { CloudEvent, HTTP, Mode, emitterFor, httpTransport } = require("cloudevents");
const { readFileSync } = require("node:fs");

const { UPTAKE_URL, UPTAKE_KEY } = process.env;
const headers = { authorization: `Bearer ${UPTAKE_KEY}` };

async function main() {
  const events = JSON.parse(readFileSync(0, "utf8")).map((each) => new CloudEvent(each));
  const transport = httpTransport(UPTAKE_URL);
  for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
    const emit = emitterFor(transport, { binding: HTTP, mode });
    for (const event of events) console.log((await emit(event, { headers })).body);
  }
  // The SDK reads batches and writes none; its events write themselves.
  const batch = {
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(events),
  };
  console.log((await transport(batch, { headers })).body);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
