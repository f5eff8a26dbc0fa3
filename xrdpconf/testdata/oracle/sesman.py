"""Lets xrdp-sesman dump its configuration for each file of a directory.

With --dump-config sesman prints all that it read and goes on to become a daemon. It
closes its output first, and that is where it is killed. Arguments: the
directory; NAME.ini is read, NAME.out written.
"""
import os
import signal
import subprocess
import sys

directory = sys.argv[1].encode()
os.makedirs(os.path.join(directory, b"live"), exist_ok=True)
for name in sorted(os.listdir(directory)):
    if not name.endswith(b".ini"):
        continue
    for pid_file in ("/run/xrdp-sesman.pid", "/run/xrdp/xrdp-sesman.pid"):
        if os.path.exists(pid_file):
            os.unlink(pid_file)
    # stdbuf: what is buffered when sesman closes its output is lost.
    daemon = subprocess.Popen(
        ["stdbuf", "-oL", "xrdp-sesman", "--dump-config", "-c", os.path.join(directory, name)],
        env={"PATH": os.environ["PATH"], "LAYER": "tls"}, cwd=os.path.join(directory, b"live"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True)
    text = daemon.stdout.read()
    try:
        os.killpg(daemon.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    daemon.wait()
    with open(os.path.join(directory, name[:-4] + b".out"), "wb") as f:
        f.write(text)
