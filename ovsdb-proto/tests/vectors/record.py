#!/usr/bin/env python3
"""Records what a fresh ovsdb-server answers to each *.requests file of this directory.

Usage: record.py. Needs ovsdb-tool, ovsdb-server and the schema of package openvswitch-switch.
One request a line; the reply stream goes, byte for byte, to the *.stream file of the same name,
after a first line that names this command and the server's version.
"""
import pathlib, socket, subprocess, tempfile, time

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
here = pathlib.Path(__file__).parent
version = subprocess.check_output(["ovsdb-server", "--version"], text=True).splitlines()[0]

for requests in sorted(here.glob("*.requests")):
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        subprocess.check_call(["ovsdb-tool", "create", tmp / "db", SCHEMA])
        server = subprocess.Popen(["ovsdb-server", f"--remote=punix:{tmp}/s",
                                   f"--unixctl={tmp}/ctl", "-vconsole:off", tmp / "db"])
        try:
            while not (tmp / "s").exists():
                time.sleep(0.01)
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(str(tmp / "s"))
            stream = b""
            for line in requests.read_bytes().splitlines():
                peer.sendall(line)
                # So that the server never has two updates to merge.
                peer.settimeout(0.3)
                try:
                    while part := peer.recv(1 << 20):
                        stream += part
                except TimeoutError:
                    pass
        finally:
            server.kill()
            server.wait()
    header = f"# tests/vectors/record.py < {requests.name}; {version}; vswitch.ovsschema\n"
    requests.with_suffix(".stream").write_bytes(header.encode() + stream)
