"""A bare component on slixmpp: every message goes back to its sender.

    echo.py HOST:PORT DOMAIN SECRET
"""

import asyncio
import sys

from slixmpp.componentxmpp import ComponentXMPP


class Echo(ComponentXMPP):
    def __init__(self, server, domain, secret):
        host, port = server.rsplit(":", 1)
        super().__init__(domain, secret, host, int(port))
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("disconnected", lambda _: sys.exit())

    def on_message(self, message):
        sender, recipient = message["from"], message["to"]
        message["from"], message["to"] = recipient, sender
        message.send()


async def main():
    Echo(*sys.argv[1:4]).connect()
    await asyncio.get_event_loop().create_future()


asyncio.run(main())
