#!/usr/bin/env python3
"""What Python's ovs.flow makes of lines.txt: `capture.py > ovs-flow.tsv`. Needs PyPI's ovs and netaddr."""
from importlib.metadata import version

from ovs.flow.ofp import OFPFlow

print(f"# capture.py, ovs.flow {version('ovs')}: line\tanswer")
with open("lines.txt") as lines:
    for line in lines:
        line = line.rstrip("\n")
        try:
            flow = OFPFlow(line)
            answer = f"{flow.match} {flow.actions}"
        except Exception as error:
            cause = error.__cause__ or error
            answer = f"{type(error).__name__}: {cause}"
        print(line, answer, sep="\t")
