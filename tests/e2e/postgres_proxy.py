"""Stands between kstream and PostgreSQL and does harm at COMMIT, at each of three places in turn.

  postgres_proxy.py PORT_OF_SERVER HOW_OFTEN [PID_FILE]      prints its own port, then a line for each harm

before: the server does not get the COMMIT; after: it gets it, and nobody waits for its answer; answer: the
answer comes, and is kept from kstream. Harm is that both connections are cut, or, with PID_FILE, that the
process of that id is killed. The COMMIT after one that was harmed passes.
"""
import asyncio
import os
import signal
import sys

server_port, left, pid_file = int(sys.argv[1]), int(sys.argv[2]), (sys.argv[3:] or [None])[0]
COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
PLACES = ["before", "after", "answer"]
harms, passes_next = 0, False


async def serve(client_in, client_out):
    try:
        server_in, server_out = await asyncio.open_connection("127.0.0.1", server_port)
    except OSError:
        client_out.close()
        return
    place = None  # of the harm that this connection is to get

    def harm():
        global harms, passes_next
        harms, passes_next = harms + 1, True
        print(place, flush=True)
        if pid_file:
            os.kill(int(open(pid_file).read()), signal.SIGKILL)
        client_out.transport.abort()

    async def to_server():
        nonlocal place
        global passes_next
        while data := await client_in.read(1 << 16):
            if COMMIT in data:
                if passes_next or harms == left:
                    passes_next = False
                else:
                    place = PLACES[harms % 3]
            if place == "before":
                return harm()
            server_out.write(data)
            await server_out.drain()
            if place == "after":
                return harm()

    async def to_client():
        while data := await server_in.read(1 << 16):
            if place == "answer":
                return harm()
            client_out.write(data)
            await client_out.drain()

    ways = [asyncio.ensure_future(to_server()), asyncio.ensure_future(to_client())]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    await asyncio.gather(*ways, return_exceptions=True)
    server_out.close()
    client_out.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
