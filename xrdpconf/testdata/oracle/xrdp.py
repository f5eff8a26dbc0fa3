"""Lets a running xrdp read each file of a directory and keeps what it logs.

xrdp reads its configuration again for every connection and logs each item of
[Globals] at level DEBUG. Arguments: the directory; NAME.ini is read, NAME.out
written. With a second argument, "negotiate", NAME.out has instead what the server
answers to a client that offers TLS and to one that does not: "selected 1" or
"refused 3", a line each, by the numbers of MS-RDPBCGR 2.2.1.2.
"""
import os
import socket
import subprocess
import sys
import time

PORT = 33890
BASE = b"[Globals]\nport=1\n[Logging]\nLogFile=%s\nLogLevel=DEBUG\n"

directory = sys.argv[1].encode()
ini = os.path.join(directory, b"live", b"xrdp.ini")
log = os.path.join(directory, b"live", b"xrdp.log")
os.makedirs(os.path.dirname(ini), exist_ok=True)
with open(ini, "wb") as f:
    f.write(BASE % log)


def connect():
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", PORT), timeout=20)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def one_connection():
    """No TPKT header: the server hangs up when it has read its configuration."""
    with connect() as s:
        s.sendall(b"\0\0\0\0")
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass


def negotiate(protocol):
    """X.224 Connection Request with an RDP_NEG_REQ (MS-RDPBCGR 2.2.1.1)."""
    with connect() as s:
        s.sendall(bytes.fromhex("030000130ee00000000000" "01000800" "%02x000000" % protocol))
        answer = s.recv(4096)
    if len(answer) < 19:
        return "nothing\n"
    return "%s %d\n" % ({2: "selected", 3: "refused"}[answer[11]], answer[15])


daemon = subprocess.Popen(
    ["xrdp", "--nodaemon", "-p", "tcp://.:%d" % PORT, "-c", ini],
    env={"PATH": os.environ["PATH"], "LAYER": "tls"},
    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    one_connection()
    for name in sorted(os.listdir(directory)):
        if not name.endswith(b".ini"):
            continue
        os.replace(os.path.join(directory, name), ini)
        if sys.argv[2:] == ["negotiate"]:
            text = (negotiate(1) + negotiate(0)).encode()
        else:
            offset = os.path.getsize(log)
            one_connection()
            with open(log, "rb") as f:
                f.seek(offset)
                text = f.read()
        with open(os.path.join(directory, name[:-4] + b".out"), "wb") as f:
            f.write(text)
finally:
    daemon.kill()
    daemon.wait()
