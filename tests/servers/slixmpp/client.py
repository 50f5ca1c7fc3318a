"""A person's client on slixmpp, who goes once through what people do with a gateway.

    client.py HOST PORT JID PASSWORD GATEWAY CONTACT

Each step prints one line of JSON, an object with `step` and what was seen; the test that started this reads them,
plays the other side, and judges. Every wait ends after 30 seconds.
"""

import asyncio
import hashlib
import json
import sys
import urllib.request

import slixmpp

PATIENCE = 30


def say(step, **seen):
    print(json.dumps({"step": step, **seen}), flush=True)


class Person(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        # Loopback, without TLS.
        super().__init__(jid, password, plugin_config={"feature_mechanisms": {"unencrypted_plain": True}})
        self.enable_direct_tls = self.enable_starttls = False
        self.enable_plaintext = True
        for plugin in ("xep_0004", "xep_0030", "xep_0050", "xep_0054", "xep_0066", "xep_0115", "xep_0184"):
            self.register_plugin(plugin)
        self.plugin["xep_0184"].auto_request = True
        self.messages = asyncio.Queue()
        self.receipts = asyncio.Queue()
        self.add_event_handler("message", self.messages.put_nowait)
        self.add_event_handler("receipt_received", self.receipts.put_nowait)

    async def arrived(self):
        await self.wait_until("session_start", PATIENCE)
        await self.get_roster()
        self.send_presence()

    async def message(self, sender):
        """The next message with a body from this bare JID."""
        while True:
            message = await asyncio.wait_for(self.messages.get(), PATIENCE)
            if message["from"].bare == sender and message["body"]:
                return message


async def add(person, contact):
    """Roster, subscription and card, as a client shows a new contact."""
    changed = asyncio.Event()
    person.add_event_handler("roster_update", lambda _: changed.set())
    here = asyncio.ensure_future(person.wait_until("presence_available", PATIENCE))
    person.send_presence_subscription(pto=contact)
    while person.client_roster[contact]["subscription"] != "both":
        await asyncio.wait_for(changed.wait(), PATIENCE)
        changed.clear()
    presence = await here
    while presence["from"].bare != contact:
        presence = await person.wait_until("presence_available", PATIENCE)
    info = await person.plugin["xep_0030"].get_info(jid=presence["from"])
    card = await person.plugin["xep_0054"].get_vcard(jid=slixmpp.JID(contact))
    photo = card["vcard_temp"]["PHOTO"]
    say(
        "contact",
        subscription=person.client_roster[contact]["subscription"],
        available_from=presence["from"].full,
        identities=[list(identity[:2]) for identity in info["disco_info"]["identities"]],
        features=sorted(info["disco_info"]["features"]),
        name=card["vcard_temp"]["FN"],
        picture_type=photo["TYPE"],
        picture_bytes=len(photo["BINVAL"]),
    )


async def text(person, contact):
    message = person.make_message(mto=contact, mbody="hello from a library", mtype="chat")
    message.send()
    say("sent", id=message["id"])
    receipt = await asyncio.wait_for(person.receipts.get(), PATIENCE)
    say("receipt", id=receipt["receipt"], sender=receipt["from"].full)
    answer = await person.message(contact)
    say("answer", body=answer["body"], sender=answer["from"].full, type=answer["type"])


async def command(person, gateway, contact):
    """Renames the contact: three forms one after the other (XEP-0050, XEP-0004)."""
    adhoc = person.plugin["xep_0050"]
    listed = await adhoc.get_commands(slixmpp.JID(gateway))
    say("commands", nodes=[item[1] for item in listed["disco_items"]["items"]])
    peer = slixmpp.JID(contact).local
    answer = await adhoc.send_command(gateway, "contacts")
    for name, value in (("peer", peer), ("action", "rename"), ("name", "Carol")):
        stage = answer["command"]
        field = stage["form"].get_fields()[name]
        options = [option["value"] for option in field["options"]]
        say("form", status=stage["status"], field=name, type=field["type"], label=field["label"], options=options)
        filled = person.plugin["xep_0004"].make_form(ftype="submit")
        filled.add_field(var=name, value=value)
        answer = await adhoc.send_command(gateway, "contacts", sessionid=stage["sessionid"], payload=filled)
    done = answer["command"]
    say("done", status=done["status"], notes=[note for _, note in done["notes"]])


async def talk(person, gateway):
    for line in ("help", "usage"):
        person.send_message(mto=gateway, mbody=line, mtype="chat")
        answer = await person.message(gateway)
        say("talk", said=line, heard=answer["body"])


async def picture(person, contact):
    """Out of band (XEP-0066): clients show it inline when the body is the same URL and nothing else."""
    say("waiting for a picture")
    while True:
        message = await person.message(contact)
        url = message["oob"]["url"]
        if url:
            break
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(None, lambda: urllib.request.urlopen(url, timeout=PATIENCE))
    content = answer.read()
    say(
        "picture",
        url=url,
        inline=message["body"] == url,
        type=answer.headers["Content-Type"],
        sha256=hashlib.sha256(content).hexdigest(),
    )


async def main(host, port, jid, password, gateway, contact):
    person = Person(jid, password)
    person.connect(host, int(port))
    await person.arrived()
    await add(person, contact)
    await text(person, contact)
    await command(person, gateway, contact)
    await talk(person, gateway)
    await picture(person, contact)
    await person.disconnect()
    say("end")


asyncio.run(main(*sys.argv[1:]))
