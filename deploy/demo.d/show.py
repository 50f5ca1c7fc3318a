"""Plays alice, the person with the phone and the person with the mailbox; prints what each of them sees.

Needs nothing but Python's standard library. The XMPP client is as small as can be: loopback, no TLS, SASL PLAIN.
"""

import argparse
import base64
import email
import email.policy
import json
import math
import pathlib
import smtplib
import socket
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from email.message import EmailMessage
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

PATIENCE_SECONDS = 30
CLIENT = "{jabber:client}"
RECEIPT = "{urn:xmpp:receipts}received"
UPLOAD = "{urn:xmpp:http:upload:0}"
SHARED = "{jabber:x:oob}x/{jabber:x:oob}url"
PHONE = "+12025550147"
BOB = "bob@example.com"


def picture(width, height):
    """A PNG (RFC 2083) of water under a sky."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def colour(x, y):
        if y > height // 2 + math.sin(x / 9) * 4:
            return 20, 90 + y % 40, 120
        return 180 + y // 4, 210, 235

    rows = (b"\0" + bytes(part for x in range(width) for part in colour(x, y)) for y in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


PICTURE = picture(320, 200)


class Trouble(Exception):
    """What went wrong, in a sentence."""


def main():
    options = arguments()
    wait_for_links(options.http)
    domain = options.jid.split("@")[1]
    with Client(options.xmpp, options.jid, options.password) as alice:
        text_there_and_back(alice, f"{PHONE}@sms.{domain}", options)
        picture_there_and_back(alice, f"{PHONE}@sms.{domain}", options)
        mail_there_and_back(alice, f"{BOB.replace('@', chr(92) + '40')}@mail.{domain}", options)


def text_there_and_back(alice, contact, options):
    print("\n    a text, and its answer")
    step("alice to", contact, "Lunch at noon?")
    alice.say(contact, "text-1", "Lunch at noon?")
    alice.expect(contact, lambda message: message.find(RECEIPT) is not None, "the delivery receipt")
    step("receipt from", contact, "the phone has it")
    step("phone answers", PHONE, "Gladly!")
    answer_on_phone(options.http, options.line, PHONE, "Gladly!")
    body = alice.expect_body(contact)
    step("alice gets from", contact, body)


def picture_there_and_back(alice, contact, options):
    print("\n    a picture, and one in answer")
    step("alice to", contact, "boat.png")
    url = alice.upload("boat.png", "image/png", PICTURE)
    alice.share(contact, "picture-1", url)
    alice.expect(contact, lambda message: message.find(RECEIPT) is not None, "the delivery receipt")
    files = files_on_phone(options.http, PHONE)
    if [file["name"] for file in files] != ["boat.png"]:
        raise Trouble(f"the phone shows {files}")
    step("receipt from", contact, "the phone shows it")
    step("phone answers", PHONE, "harbour.png")
    file = {"name": "harbour.png", "content_type": "image/png", "content": base64.b64encode(PICTURE).decode()}
    answer_on_phone(options.http, options.line, PHONE, "", [file])
    message = alice.expect(contact, lambda message: message.find(SHARED) is not None, "the picture")
    url = message.findtext(SHARED)
    if fetch(url) != PICTURE:
        raise Trouble(f"{url} is not the picture")
    step("alice gets from", contact, url)


def mail_there_and_back(alice, contact, options):
    print("\n    a mail, and its answer")
    step("alice to", contact, "Shall we have dinner?")
    alice.say(contact, "mail-1", "Shall we have dinner?")
    mail = mail_that_left(pathlib.Path(options.mails), BOB)
    step("mail arrives", BOB, f"From: {mail['From']}, Subject: {mail['Subject']}")
    step("bob answers", mail["From"].addresses[0].addr_spec, "At eight.")
    answer_mail(options.smtp, mail, "At eight.")
    body = alice.expect_body(contact)
    step("alice gets from", contact, body)


def step(what, who, text):
    print(f"      {what:16} {who:40} {text}", flush=True)


class Client:
    """One logged-in resource (RFC 6120)."""

    def __init__(self, server, jid, password):
        self.user, self.domain = jid.split("@")
        self.socket = socket.create_connection(server, timeout=PATIENCE_SECONDS)
        self.inbox = []
        self.open_stream()
        proof = base64.b64encode(f"\0{self.user}\0{password}".encode()).decode()
        self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{proof}</auth>")
        if not self.next_element().tag.endswith("}success"):
            raise Trouble(f"{jid} cannot log in")
        self.open_stream()
        self.send(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            "<resource>demo</resource></bind></iq><presence/>"
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.send("</stream:stream>")
        except OSError:
            pass
        self.socket.close()

    def open_stream(self):
        self.parser = ElementTree.XMLPullParser(events=("start", "end"))
        self.depth = 0
        self.send(
            f"<?xml version='1.0'?><stream:stream to='{self.domain}' version='1.0' xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        while not self.next_element().tag.endswith("}features"):
            pass

    def send(self, text):
        self.socket.sendall(text.encode())

    def next_element(self):
        """The next child of the stream."""
        while True:
            for event, element in self.parser.read_events():
                self.depth += 1 if event == "start" else -1
                if event == "end" and self.depth == 1:
                    return element
            data = self.socket.recv(65536)
            if not data:
                raise Trouble("the XMPP server closed the stream")
            self.parser.feed(data)

    def say(self, to, ident, text):
        self.send(
            f"<message to={quoteattr(to)} type='chat' id='{ident}'><body>{escape(text)}</body>"
            f"<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='{ident}'/></message>"
        )

    def share(self, to, ident, url):
        """A file, as clients share it: XEP-0066."""
        self.send(
            f"<message to={quoteattr(to)} type='chat' id='{ident}'><body>{escape(url)}</body>"
            f"<x xmlns='jabber:x:oob'><url>{escape(url)}</url></x>"
            f"<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='{ident}'/></message>"
        )

    def upload(self, name, content_type, content):
        """Puts a file into the server's upload service, XEP-0363; gives its URL."""
        self.send(
            f"<iq type='get' to='upload.{self.domain}' id='slot'><request xmlns='urn:xmpp:http:upload:0' "
            f"filename={quoteattr(name)} size='{len(content)}' content-type={quoteattr(content_type)}/></iq>"
        )
        while (answer := self.next_element()).get("id") != "slot":
            if answer.tag == CLIENT + "message":
                self.inbox.append(answer)
        slot = answer.find(f"{UPLOAD}slot")
        if slot is None:
            raise Trouble("the upload service gives no slot")
        headers = {header.get("name"): header.text for header in slot.iter(f"{UPLOAD}header")}
        put = urllib.request.Request(
            slot.find(f"{UPLOAD}put").get("url"), data=content, method="PUT", headers={"Content-Type": content_type, **headers}
        )
        with urllib.request.urlopen(put, timeout=PATIENCE_SECONDS):
            return slot.find(f"{UPLOAD}get").get("url")

    def expect(self, contact, wanted, what):
        """The next message of the contact that is wanted; those before it are kept."""
        until = time.monotonic() + PATIENCE_SECONDS
        for message in list(self.inbox):
            if wanted(message):
                self.inbox.remove(message)
                return message
        while time.monotonic() < until:
            try:
                element = self.next_element()
            except TimeoutError:
                break
            if element.tag != CLIENT + "message" or element.get("from", "").split("/")[0] != contact:
                continue
            if element.get("type") == "error":
                sentence = element.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}text")
                raise Trouble(f"an error came back: {'' if sentence is None else sentence.text}")
            if wanted(element):
                return element
            self.inbox.append(element)
        raise Trouble(f"{what} of {contact} did not come within {PATIENCE_SECONDS} s")

    def expect_body(self, contact):
        message = self.expect(contact, lambda message: message.findtext(CLIENT + "body"), "the answer")
        return message.findtext(CLIENT + "body")


def wait_for_links(http):
    """transom logs in at Prosody by itself; this takes an instant."""
    until = time.monotonic() + PATIENCE_SECONDS
    state = "no answer"
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{join(http)}/readyz?links=1", timeout=5):
                return
        except urllib.error.HTTPError as error:
            state = error.read().decode(errors="replace")
        except OSError as error:
            state = str(error)
        time.sleep(0.1)
    raise Trouble(f"transom is not ready: {state}")


def fetch(url):
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        return answer.read()


def files_on_phone(http, phone):
    """The files of the latest text on a simulated phone."""
    state = json.loads(fetch(f"http://{join(http)}/simulator/state?{urllib.parse.urlencode({'phone': phone})}"))
    return state["texts"][-1].get("files", [])


def answer_on_phone(http, line, phone, text, files=()):
    """What the button on the simulator's page does."""
    request = urllib.request.Request(
        f"http://{join(http)}/simulator/answer",
        data=json.dumps({"line": line, "phone": phone, "text": text, "files": files}).encode(),
        headers={"Content-Type": "application/json", "X-Transom": "1"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS):
        pass


def mail_that_left(folder, recipient):
    """The mail to this recipient that Postfix sent out: the sink keeps each in a file, the envelope in headers before it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        for file in folder.iterdir():
            content = file.read_bytes()
            mail = email.message_from_bytes(content, policy=email.policy.default)
            if recipient in str(mail["X-Rcpt-Args"]) and mail["Message-ID"] and content.endswith(b"\n"):
                return mail
        time.sleep(0.1)
    raise Trouble(f"no mail for {recipient} left within {PATIENCE_SECONDS} s")


def answer_mail(smtp, mail, text):
    answer = EmailMessage()
    answer["From"] = f"Bob <{BOB}>"
    answer["To"] = str(mail["From"])
    answer["Subject"] = f"Re: {mail['Subject']}"
    answer["Message-ID"] = f"<demo-{time.time_ns()}@example.com>"
    answer["In-Reply-To"] = mail["Message-ID"]
    answer["References"] = mail["Message-ID"]
    quoted = "".join(f"> {line}\n" for line in mail.get_content().splitlines())
    sender = mail["From"].addresses[0]
    when = mail["Date"].datetime.strftime("%a, %d %b %Y at %H:%M")
    answer.set_content(f"{text}\n\nOn {when}, {sender.display_name} <{sender.addr_spec}> wrote:\n{quoted}")
    with smtplib.SMTP(*smtp, timeout=PATIENCE_SECONDS) as server:
        server.send_message(answer)


def join(address):
    return f"{address[0]}:{address[1]}"


def arguments():
    def address(text):
        host, port = text.rsplit(":", 1)
        return host, int(port)

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xmpp", type=address, required=True)
    parser.add_argument("--jid", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--http", type=address, required=True)
    parser.add_argument("--line", required=True)
    parser.add_argument("--smtp", type=address, required=True)
    parser.add_argument("--mails", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (Trouble, OSError) as trouble:
        print(f"\n    {trouble}", file=sys.stderr)
        sys.exit(1)
