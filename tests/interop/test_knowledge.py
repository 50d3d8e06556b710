"""What people share in encrypted rooms is kept, found, corrected and taken back as anywhere else."""

from __future__ import annotations

import pytest

from tests.interop.peer import Peer
from tests.interop.peers import Peers
from tests.interop.test_talk import ask, met, readable
from tests.running import running
from tests.town import Town

PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.mark.core
async def test_links_and_files_of_an_encrypted_room_are_found_until_they_are_taken_back(
    sealed: Town, peers: Peers
) -> None:
    sealed.settings["hubs"][0]["tell_kept"] = True
    sealed.write()

    async def found(ana: Peer, words: str) -> str:
        return str((await ask(ana, sealed, words))["content"]["body"])

    async with running(sealed.config):
        ana = await met(peers, sealed, only_signed=True)
        link = await ana.send(sealed.hall, "zanzibarista https://example.org/a", to=(sealed.bot.user_id,))
        kept = await ana.wait_for(lambda event: event["type"] == "m.reaction", what="a reaction")
        assert kept["content"]["m.relates_to"]["event_id"] == link
        await ana.edit(sealed.hall, link, "quokkaly https://example.org/b")
        assert "https://example.org/b" in await found(ana, "!find quokkaly")
        assert "Nothing found" in await found(ana, "!find zanzibarista")
        file = await ana.send_file(sealed.hall, "Gift register.pdf", PDF, "application/pdf")
        assert "Gift register.pdf" in await found(ana, "!find type:pdf")
        for event in (link, file):  # redactions and reactions are in the clear, in all clients
            await sealed.ana.redact(sealed.hall, event)
        assert "Nothing found" in await found(ana, "!find type:pdf")
        assert readable(await ask(ana, sealed, "!find quokkaly"))
        assert "Nothing found" in await found(ana, "!find quokkaly")
