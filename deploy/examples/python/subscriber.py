#!/usr/bin/env python3
"""Follows the feed of one plan, proves that it missed nothing, and goes on where it was.

It reads through a durable consumer, takes the messages in the order of their numbers, and keeps its place in a file: the last
number and the receipt after it. The receipt is SHA-256 over the receipt before (32 zero bytes at first) and the SHA-256 of the
message's bytes; each message brings the publisher's own in the header Rollbook-Receipt, and both must be the same.
"""

import argparse
import asyncio
import hashlib
import json
import os
import signal
import ssl
import sys
from pathlib import Path

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

STREAM = "ENROLLMENT_FEED"
# Subscribers have an account of their own on the servers, where the ledger's JetStream is asked under this prefix.
PREFIX = "FEED.API"


def acts_on(event):
    """Here a real subscriber does its work. It must bear to be told the last message again after a crash: the number says so."""
    what = "redacted" if event.get("redacted") else event["data"]
    print(json.dumps({"number": event["feednumber"], "type": event["type"], "id": event["id"], "data": what}), flush=True)


class Place:
    """How far this subscriber is, on disk before anything is acknowledged."""

    def __init__(self, path):
        self.path = path
        self.number, self.position, self.receipt = 0, 0, bytes(32)
        if path.exists():
            kept = json.loads(path.read_text())
            self.number, self.position, self.receipt = kept["number"], kept["position"], bytes.fromhex(kept["receipt"])

    def take(self, body, told):
        event = json.loads(body)
        number = event["feednumber"]
        if number != self.number + 1:
            raise SystemExit(f"error: message {number} follows on {self.number}: something is missing")
        receipt = hashlib.sha256(self.receipt + hashlib.sha256(body).digest()).digest()
        if receipt.hex() != told:
            raise SystemExit(f"error: the receipt at {number} is not the publisher's: a message before it was another")
        acts_on(event)
        self.number, self.position, self.receipt = number, event["logposition"], receipt

    def keep(self):
        new = self.path.with_suffix(".new")
        with open(new, "w") as file:
            json.dump({"number": self.number, "position": self.position, "receipt": self.receipt.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


async def connect(options):
    secure = None
    if options.ca:
        secure = ssl.create_default_context(cafile=options.ca)
        if options.cert:
            secure.load_cert_chain(options.cert, options.key)
    return await nats.connect(
        options.nats.split(","),
        tls=secure,
        nkeys_seed=options.nkey,
        token=options.token_file.read_text().strip() if options.token_file else None,
        # The server lets this plan's subscriber hear answers under this prefix alone.
        inbox_prefix=f"_INBOX_feed_{options.plan}".encode(),
        max_reconnect_attempts=-1,
    )


async def follow(options, stop):
    place = Place(options.place)
    connection = await connect(options)
    jetstream = connection.jetstream(prefix=options.prefix)
    name, subjects = options.consumer or options.plan, f"feed.{options.plan}.>"
    # Named, so that the request's subject names consumer and filter: that subject is what the server's permissions go by.
    await jetstream.add_consumer(STREAM, ConsumerConfig(
        name=name, durable_name=name, filter_subject=subjects, deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT, ack_wait=10, max_ack_pending=500))
    consumer = await jetstream.pull_subscribe_bind(name, stream=STREAM)
    # What was not acknowledged before a crash comes again behind others; those wait here for it, and are not acknowledged.
    early = {}
    while not stop.is_set() and not (options.until and place.number >= options.until):
        try:
            messages = await consumer.fetch(100, timeout=1)
        except asyncio.TimeoutError:
            continue
        for message in messages:
            early[json.loads(message.data)["feednumber"]] = message
        done = [early.pop(number) for number in sorted(early) if number <= place.number]
        while place.number + 1 in early:
            message = early.pop(place.number + 1)
            place.take(message.data, message.headers["Rollbook-Receipt"])
            done.append(message)
        place.keep()
        for message in done:
            await message.ack()
    await connection.flush()
    await connection.close()
    print(json.dumps({"plan": options.plan, "number": place.number, "receipt": place.receipt.hex()}), file=sys.stderr)


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nats", default="nats://127.0.0.1:4222", help="the servers, several with commas")
    parser.add_argument("--plan", required=True, help="whose feed, as in la-care")
    parser.add_argument("--consumer", help="the consumer's name that the servers allow (default: the plan)")
    parser.add_argument("--prefix", default=PREFIX, help=f"what JetStream is asked under (default: {PREFIX})")
    parser.add_argument("--place", type=Path, required=True, help="the file that keeps how far this subscriber is")
    parser.add_argument("--until", type=int, help="end once this number is taken (default: follow until Ctrl-C)")
    parser.add_argument("--nkey", help="file with the seed of this subscriber's nkey")
    parser.add_argument("--token-file", type=Path, help="file with a token, where the servers ask for one")
    parser.add_argument("--ca", help="certificates of the authority that signed the servers'")
    parser.add_argument("--cert", help="the certificate to show to the servers")
    parser.add_argument("--key", help="its key")
    options = parser.parse_args()
    stop = asyncio.Event()
    for each in [signal.SIGINT, signal.SIGTERM]:
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await follow(options, stop)


asyncio.run(main())
