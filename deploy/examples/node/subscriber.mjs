#!/usr/bin/env node
// Follows the feed of one plan, proves that it missed nothing, and goes on where it was: the same as ../python/subscriber.py,
// with the standard NATS client for Node.
//
// It reads through a durable consumer, takes the messages in the order of their numbers, and keeps its place in a file: the last
// number and the receipt after it. The receipt is SHA-256 over the receipt before (32 zero bytes at first) and the SHA-256 of the
// message's bytes; each message brings the publisher's own in the header Rollbook-Receipt, and both must be the same.

import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";

import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";

const STREAM = "ENROLLMENT_FEED";
// Subscribers have an account of their own on the servers, where the ledger's JetStream is asked under this prefix.
const PREFIX = "FEED.API";
const HELP = `usage: node subscriber.mjs --plan PLAN --place FILE [options]

  --nats URLS        the servers, several with commas (default: nats://127.0.0.1:4222)
  --plan PLAN        whose feed, as in la-care
  --consumer NAME    the consumer's name that the servers allow (default: the plan)
  --prefix PREFIX    what JetStream is asked under (default: FEED.API)
  --place FILE       the file that keeps how far this subscriber is
  --until NUMBER     end once this number is taken (default: follow until Ctrl-C)
  --nkey FILE        file with the seed of this subscriber's nkey
  --token-file FILE  file with a token, where the servers ask for one
  --ca FILE          certificates of the authority that signed the servers'
  --cert FILE        the certificate to show to the servers
  --key FILE         its key`;

/** Here a real subscriber does its work. It must bear to be told the last message again after a crash: the number says so. */
function actsOn(event) {
  const data = event.redacted ? "redacted" : event.data;
  console.log(JSON.stringify({ number: event.feednumber, type: event.type, id: event.id, data }));
}

function fail(what) {
  console.error(`error: ${what}`);
  process.exit(1);
}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

/** How far this subscriber is, on disk before anything is acknowledged. */
class Place {
  constructor(path) {
    this.path = path;
    Object.assign(this, { number: 0, position: 0, receipt: Buffer.alloc(32) });
    if (existsSync(path)) {
      const kept = JSON.parse(readFileSync(path, "utf8"));
      Object.assign(this, { number: kept.number, position: kept.position, receipt: Buffer.from(kept.receipt, "hex") });
    }
  }

  take(body, told) {
    const event = JSON.parse(Buffer.from(body).toString("utf8"));
    if (event.feednumber !== this.number + 1) {
      fail(`message ${event.feednumber} follows on ${this.number}: something is missing`);
    }
    const receipt = sha256(this.receipt, sha256(body));
    if (receipt.toString("hex") !== told) {
      fail(`the receipt at ${event.feednumber} is not the publisher's: a message before it was another`);
    }
    actsOn(event);
    Object.assign(this, { number: event.feednumber, position: event.logposition, receipt });
  }

  keep() {
    const kept = { number: this.number, position: this.position, receipt: this.receipt.toString("hex") };
    const file = openSync(`${this.path}.new`, "w");
    writeSync(file, JSON.stringify(kept));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${this.path}.new`, this.path);
  }
}

function secure({ ca, cert, key }) {
  return ca ? { tls: { caFile: ca, certFile: cert, keyFile: key } } : {};
}

async function follow(options) {
  const { plan } = options;
  const place = new Place(options.place);
  const connection = await connect({
    servers: options.nats.split(","),
    // The server lets this plan's subscriber hear answers under this prefix alone.
    inboxPrefix: `_INBOX_feed_${plan}`,
    maxReconnectAttempts: -1,
    ...(options.nkey && { authenticator: nkeyAuthenticator(Buffer.from(readFileSync(options.nkey, "utf8").trim())) }),
    ...(options["token-file"] && { token: readFileSync(options["token-file"], "utf8").trim() }),
    ...secure(options),
  });
  const [name, apiPrefix] = [options.consumer ?? plan, options.prefix ?? PREFIX];
  // The account's settings are nobody's business: they are not asked for.
  const manager = await jetstreamManager(connection, { checkAPI: false, apiPrefix });
  // Named, so that the request's subject names consumer and filter: that subject is what the server's permissions go by.
  await manager.consumers.add(STREAM, {
    name,
    durable_name: name,
    filter_subject: `feed.${plan}.>`,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: 10_000_000_000,
    max_ack_pending: 500,
  });
  const consumer = await jetstream(connection, { apiPrefix }).consumers.get(STREAM, name);
  const until = options.until ? Number(options.until) : Infinity;
  let stopped = false;
  for (const each of ["SIGINT", "SIGTERM"]) process.on(each, () => (stopped = true));
  // What was not acknowledged before a crash comes again behind others; those wait here for it, and are not acknowledged.
  const early = new Map();
  while (!stopped && place.number < until) {
    for await (const message of await consumer.fetch({ max_messages: 100, expires: 1_000 })) {
      early.set(message.json().feednumber, message);
    }
    const done = [];
    const drop = (number) => {
      done.push(early.get(number));
      early.delete(number);
    };
    for (const number of [...early.keys()].filter((number) => number <= place.number)) drop(number);
    for (let message; (message = early.get(place.number + 1)); ) {
      place.take(message.data, message.headers.get("Rollbook-Receipt"));
      drop(place.number);
    }
    place.keep();
    for (const message of done) message.ack();
  }
  await connection.drain();
  console.error(JSON.stringify({ plan, number: place.number, receipt: place.receipt.toString("hex") }));
}

const names = ["nats", "plan", "consumer", "prefix", "place", "until", "nkey", "token-file", "ca", "cert", "key"];
const types = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
const { values } = parseArgs({ options: { ...types, help: { type: "boolean" } } });
if (values.help || !values.plan || !values.place) {
  console.error(HELP);
  process.exit(values.help ? 0 : 2);
}
await follow({ nats: "nats://127.0.0.1:4222", ...values });
