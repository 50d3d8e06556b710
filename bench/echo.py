"""The baseline: a minimal echo bot on bare aiohttp."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

import aiohttp


async def main(url: str, token: str, user_id: str) -> None:
    """Syncs and echoes until stopped; prints `ready` after the first sync."""
    base = f"{url}/_matrix/client/v3"
    lean = {"presence": {"types": []}, "room": {"state": {"lazy_load_members": True}, "ephemeral": {"types": []}}}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        since = ""
        while True:
            query = {"filter": json.dumps(lean), "timeout": "30000" if since else "0"} | (
                {"since": since} if since else {}
            )
            async with http.get(f"{base}/sync", params=query) as got:
                answer = await got.json()
            for room, part in answer.get("rooms", {}).get("join", {}).items() if since else ():
                for event in part["timeline"]["events"]:
                    if event["type"] == "m.room.message" and event["sender"] != user_id:
                        relation = {"m.in_reply_to": {"event_id": event["event_id"]}}
                        body = {"msgtype": "m.notice", "body": event["content"]["body"], "m.relates_to": relation}
                        async with http.put(
                            f"{base}/rooms/{room}/send/m.room.message/{uuid.uuid4()}", json=body
                        ) as sent:
                            await sent.read()
            if not since:
                print("ready", file=sys.stderr, flush=True)  # noqa: T201 - the bench waits for this line
            since = answer["next_batch"]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
