"""The least that a gateway on slidge needs for the loads (b) and (c): a network that takes every text at once and says that it is
on the handset, and a webhook that hands texts over.

    python -m slidge --legacy-module plugin ...   with WEBHOOK_PORT in the environment

Durability: none beyond what slidge gives. A text is in memory until the network has it; that it was answered with 200 says nothing of a
commit. What slidge writes (SQLite in its own default mode) are the ids by which receipts find their message.
"""

import asyncio
import itertools
import os

from aiohttp import web

from slidge import BaseGateway, BaseSession, LegacyContact, LegacyRoster

IDS = itertools.count(1)
# The line of a user: as in the loads.
FIRST_LINE = 12125550100


class Contact(LegacyContact):
    async def on_message(self, message):
        text_id = f"SM{next(IDS):032x}"
        # After slidge has written down which message that is.
        asyncio.get_running_loop().call_soon(self.received, text_id)
        return text_id


class Roster(LegacyRoster):
    pass


class Session(BaseSession):
    async def login(self):
        number = int(self.user_jid.username.removeprefix("user"))
        SESSIONS[f"+{FIRST_LINE + number}"] = self


SESSIONS = {}


class Gateway(BaseGateway):
    COMPONENT_NAME = "Bench"
    REGISTRATION_FIELDS = []
    # Receipts say what the network said, as transom's do.
    PROPER_RECEIPTS = True

    def __init__(self):
        super().__init__()
        self.loop.create_task(listen())

    async def validate(self, user_jid, registration_form):
        return {}


async def on_webhook(request):
    form = await request.post()
    contact = await SESSIONS[form["To"]].contacts.by_legacy_id(form["From"])
    contact.send_text(form["Body"], form["MessageSid"])
    return web.Response(text="<Response/>", content_type="text/xml")


async def listen():
    app = web.Application()
    app.router.add_post("/webhook/sms/main", on_webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["WEBHOOK_PORT"])).start()
