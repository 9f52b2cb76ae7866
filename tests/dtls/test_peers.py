"""Other people's DTLS over loopback sockets: OpenSSL's own tools, and libcoap's clients."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable

import pytest

from dtls import Client, Established, Event, KeyWanted, Received, Refused, Server, ServerConfig, Transmit
from dtls.backends import Backend
from dtls.suites import DEFAULT_CIPHERS

KEY = bytes(range(65, 81))
PATIENCE = 10.0


def need(binary: str) -> str:
    path = shutil.which(binary)
    if path is None:
        pytest.skip(f"{binary} is not installed")
    return path


def serve(
    server: Server,
    port: socket.socket,
    until: Callable[[list[Event]], bool],
    answer: Callable[[bytes], bytes | None],
) -> list[Event]:
    """Serve until that is seen, or until patience ends."""
    seen: list[Event] = []
    deadline = time.monotonic() + PATIENCE
    while not until(seen) and time.monotonic() < deadline:
        now = time.monotonic()
        try:
            datagram, address = port.recvfrom(65535)
        except TimeoutError:
            todo = server.tick(now)
        else:
            todo = server.receive(datagram, address, now)
        while todo:
            event = todo.pop(0)
            seen.append(event)
            if isinstance(event, Transmit):
                assert event.address is not None
                port.sendto(event.datagram, event.address)
            elif isinstance(event, KeyWanted):
                key = KEY if event.identity == b"device-1" else None
                todo += server.provide_key(event.handshake, key, now)
            elif isinstance(event, Received) and (reply := answer(event.plaintext)) is not None:
                todo += server.send(event.session, reply, now)
    return seen


def has(kind: type) -> Callable[[list[Event]], bool]:
    return lambda seen: any(isinstance(event, kind) for event in seen)


@pytest.mark.parametrize("cipher", DEFAULT_CIPHERS)
@pytest.mark.parametrize("options", [[], ["-no_etm"], ["-mtu", "260"]], ids=["", "no etm", "mtu"])
def test_openssl_s_client(backend: Backend, port: socket.socket, cipher: str, options: list[str]) -> None:
    command = [
        need("openssl"), "s_client", "-dtls1_2", "-quiet", "-psk_identity", "device-1", "-psk", KEY.hex(),
        "-cipher", f"{cipher}:@SECLEVEL=0", "-connect", f"127.0.0.1:{port.getsockname()[1]}", *options,
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(b"hello\n")
            process.stdin.flush()
            server = Server(ServerConfig(), backend=backend)
            seen = serve(server, port, has(Received), lambda text: b"re " + text)
            (established,) = [event.session for event in seen if isinstance(event, Established)]
            assert (established.cipher, established.identity) == (cipher, b"device-1")
            assert [event.plaintext for event in seen if isinstance(event, Received)] == [b"hello\n"]
            assert process.stdout.readline() == b"re hello\n"
        finally:
            process.kill()


def test_openssl_s_client_with_a_wrong_key(backend: Backend, port: socket.socket) -> None:
    command = [
        need("openssl"), "s_client", "-dtls1_2", "-psk_identity", "device-1", "-psk", "00" * 16,
        "-cipher", "PSK-AES128-GCM-SHA256", "-connect", f"127.0.0.1:{port.getsockname()[1]}",
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=subprocess.STDOUT) as process:
        try:
            seen = serve(
                Server(ServerConfig(mismatch_grace=0.2), backend=backend),
                port,
                has(Refused),
                lambda text: None,
            )
            assert [event.cause for event in seen if isinstance(event, Refused)] == ["PSK_MISMATCH"]
            said, _ = process.communicate(timeout=PATIENCE)
            assert b"decrypt error" in said
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("cipher", "options"), [*((cipher, []) for cipher in DEFAULT_CIPHERS), (DEFAULT_CIPHERS[0], ["-listen"])]
)
def test_openssl_s_server(backend: Backend, port: socket.socket, cipher: str, options: list[str]) -> None:
    number = port.getsockname()[1]
    port.close()  # its number is free again now
    command = [
        need("openssl"), "s_server", "-dtls1_2", "-quiet", "-nocert", "-psk", KEY.hex(), "-psk_hint", "hint",
        "-cipher", f"{cipher}:@SECLEVEL=0", "-accept", f"127.0.0.1:{number}", *options,
    ]  # fmt: skip
    with (
        subprocess.Popen(command, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL) as process,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            ours.connect(("127.0.0.1", number))
            ours.settimeout(0.05)
            client = Client(b"device-1", KEY, (cipher,), b"", backend=backend, retransmit_after=0.2)
            out = client.start(time.monotonic())
            deadline = time.monotonic() + PATIENCE
            while not client.is_established and time.monotonic() < deadline:
                try:
                    for datagram in out:
                        ours.send(datagram)
                    events = client.receive(ours.recv(65535), time.monotonic())
                except (TimeoutError, ConnectionRefusedError):
                    events = client.tick(time.monotonic())
                out = [event.datagram for event in events if isinstance(event, Transmit)]
            assert client.is_established
            ours.send(client.send(b"hello\n", time.monotonic())[0])
            assert process.stdout.readline() == b"hello\n"
            process.stdin.write(b"welcome\n")
            process.stdin.flush()
            ours.settimeout(PATIENCE)
            (received,) = client.receive(ours.recv(65535), time.monotonic())
            assert isinstance(received, Received)
            assert received.plaintext == b"welcome\n"
        finally:
            process.kill()


def coap_answer(request: bytes) -> bytes | None:
    """2.05 Content with the text "42", in the acknowledgement of a request (RFC 7252 section 3)."""
    if len(request) < 4 or request[0] >> 4 != 0b0100 or request[1] != 1:
        return None
    token_length = request[0] & 15
    return bytes((0b0110 << 4 | token_length, 0x45)) + request[2 : 4 + token_length] + b"\xff42"


@pytest.mark.parametrize("binary", ["coap-client-openssl", "coap-client-gnutls"])
@pytest.mark.parametrize("ciphers", [DEFAULT_CIPHERS, ("PSK-AES128-CCM8",)], ids=["all", "ccm8"])
def test_libcoap(backend: Backend, port: socket.socket, binary: str, ciphers: tuple[str, ...]) -> None:
    command = [
        need(binary), "-B", "5", "-u", "device-1", "-k", KEY.decode(),
        f"coaps://127.0.0.1:{port.getsockname()[1]}/answer",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=-1, stderr=subprocess.DEVNULL) as process:
        try:
            server = Server(ServerConfig(ciphers=ciphers), backend=backend)
            serve(server, port, lambda seen: process.poll() is not None, coap_answer)
            assert process.stdout is not None
            assert b"42" in process.stdout.read()
            assert server.statistics.handshakes == 1
        finally:
            process.kill()
