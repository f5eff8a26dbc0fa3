"""Starts xrdp with each port value of a file, one a line, and keeps what it logs.

Arguments: the directory, in which "ports" is read and N.out written for line N.
"""
import os
import subprocess
import sys
import time

directory = sys.argv[1].encode()
log = os.path.join(directory, b"port.log")
ini = os.path.join(directory, b"port.ini")
with open(os.path.join(directory, b"ports"), "rb") as f:
    ports = f.read().split(b"\n")[:-1]
for n, port in enumerate(ports):
    if os.path.exists(log):
        os.unlink(log)
    with open(ini, "wb") as f:
        f.write(b"[Globals]\nport=" + port + b"\n[Logging]\nLogFile=" + log + b"\nLogLevel=DEBUG\n")
    daemon = subprocess.Popen(
        ["xrdp", "--nodaemon", "-c", ini],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    text = b""
    while time.monotonic() < deadline and daemon.poll() is None:
        if os.path.exists(log):
            with open(log, "rb") as f:
                text = f.read()
            if b"xrdp_listen_pp done" in text or b"trans_listen_address failed" in text:
                break
        time.sleep(0.01)
    daemon.kill()
    daemon.wait()
    if os.path.exists(log):
        with open(log, "rb") as f:
            text = f.read()
    with open(os.path.join(directory, b"%d.out" % n), "wb") as f:
        f.write(text)
