#!/usr/bin/env python3
"""A small back office for the shipped example configurations: account balances, parcels, orders, and what a bank does for
whoever proves who they are (PIN 4321 for every account), over HTTP.

Python's standard library only. Nothing here is real; nothing is stored.
"""

import argparse
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

ACCOUNTS = {
    "314159": {"balance": "1234.50", "currency": "USD", "name": "Ada Lovelace"},
    "271828": {"balance": "87.20", "currency": "USD", "name": "Leonhard Euler"},
    "161803": {"balance": "15000.00", "currency": "USD", "name": "Luca Pacioli"},
    "141421": {"balance": "0.00", "currency": "USD", "name": "Theano Croton"},
    "123456": {"balance": "-42.10", "currency": "USD", "name": "Grace Hopper"},
    "577215": {"balance": "309.99", "currency": "USD", "name": "Sophie Germain"},
}

PARCELS = {
    "88001234": {"status": "派送中", "city": "上海", "eta": "2026-11-21"},
    "88005678": {"status": "已签收", "city": "北京", "eta": "2026-11-19"},
    "88002468": {"status": "运输中", "city": "武汉", "eta": "2026-11-23"},
    "88001357": {"status": "等待取件", "city": "广州", "eta": "2026-11-24"},
    "66123456": {"status": "清关中", "city": "深圳", "eta": "2026-11-25"},
    "12345678": {"status": "派送失败", "city": "成都", "eta": "2026-11-22"},
}


def answer(path):
    """The reply to a GET: (status, JSON value)."""
    path = unquote(path.split("?", 1)[0])
    if path == "/healthz":
        return 200, {"status": "ok"}
    account = re.fullmatch(r"/accounts/([^/]+)/balance", path)
    if account and account[1] in ACCOUNTS:
        return 200, {"account": account[1], **ACCOUNTS[account[1]]}
    parcel = re.fullmatch(r"/parcels/([^/]+)", path)
    if parcel and parcel[1].upper() in PARCELS:
        return 200, {"number": parcel[1].upper(), **PARCELS[parcel[1].upper()]}
    return 404, {"error": "not found"}


PIN = "4321"
# Fees of more are given back by people.
MOST_REFUNDED = 50.0


def order(path, body, key):
    """The reply to a POST with this idempotency key: (status, JSON value). The same key has the same reply."""
    path = unquote(path)
    if path not in POSTS:
        return 404, {"error": "not found"}
    try:
        wanted = json.loads(body)
    except ValueError:
        return 400, {"detail": "no JSON"}
    if not isinstance(wanted, dict):
        return 400, {"detail": "no object"}
    return POSTS[path](wanted, hashlib.sha256((key or "").encode()).hexdigest())


def coffee(wanted, _):
    if not wanted.get("drink"):
        return 422, {"error": "no drink"}
    return 200, {"drink": wanted["drink"], "minutes": 10}


def pin(wanted, _):
    known = wanted.get("account") in ACCOUNTS and wanted.get("pin") == PIN
    return (200, {"account": wanted["account"]}) if known else (404, {"error": "no such account and PIN"})


def block(wanted, digest):
    if wanted.get("account") not in ACCOUNTS:
        return 404, {"error": "not found"}
    return 200, {"card": wanted.get("card"), "reference": "B" + reference(digest)}


def refund(wanted, digest):
    if wanted.get("account") not in ACCOUNTS:
        return 404, {"error": "not found"}
    amount = re.match(r"[0-9]+([.][0-9]+)?", str(wanted.get("amount", "")))
    if not amount or float(amount[0]) > MOST_REFUNDED:
        return 422, {"detail": "that is more than I may give back"}
    return 200, {"reference": "R" + reference(digest)}


def password(wanted, _):
    return (200, {"sent": True}) if wanted.get("account") in ACCOUNTS else (404, {"error": "not found"})


def appointment(wanted, _):
    hour = str(wanted.get("hour", ""))
    if not "09:00" <= hour < "17:00":
        return 409, {"detail": "our advisers are here from nine to five"}
    return 200, {"adviser": "Nora Whitfield"}


def reference(digest):
    return str(int(digest[:8], 16) % 10000).zfill(4)


POSTS = {
    "/orders": coffee,
    "/pins": pin,
    "/cards/block": block,
    "/refunds": refund,
    "/passwords": password,
    "/appointments": appointment,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply(*answer(self.path))

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length") or 0), 65536)
        self.reply(*order(self.path, self.rfile.read(length), self.headers.get("Idempotency-Key")))

    def reply(self, status, value):
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass  # paths hold account numbers


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8085, help="0 takes a free one")
    arguments = parser.parse_args()
    server = ThreadingHTTPServer((arguments.host, arguments.port), Handler)
    print(f"example backend on http://{arguments.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
