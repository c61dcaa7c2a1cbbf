#!/usr/bin/env python3
"""Asks the filters of Python's ovs.flow about lines of ../dumps: `capture.py > ovs-flow.tsv`.

Needs PyPI's ovs, pyparsing and netaddr.
"""
import random
from importlib.metadata import version

from ovs.flow.filter import OFFilter
from ovs.flow.ofp import OFPFlow

random.seed(6)


def flows():
    for name in ("br-ovn.of13.txt", "br-int.of13.txt"):
        with open(f"../dumps/{name}") as dump:
            for number, line in enumerate(dump, 1):
                if "actions=" not in line:
                    continue
                try:
                    yield name, number, OFPFlow(line.strip())
                except Exception:
                    pass


def leaves(prefix, value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(f"{prefix}.{key}", inner)
    elif not isinstance(value, list):
        yield prefix, value


def clauses(flow):
    for section in flow.sections:
        for item in section.data:
            for key, value in leaves(item.key, item.value):
                text = str(value)
                if text and all(c.isalnum() or c in ".:_/-" for c in key + text):
                    yield key, text


def near(text):
    """A value like this one, or another one."""
    if text.isdigit():
        return str(max(0, int(text) + random.choice([-1, 0, 1])))
    return text.split("/")[0] if random.random() < 0.3 else text


def clause(known):
    key, text = random.choice(known)
    kind = random.random()
    if kind < 0.25 or text == "True":
        return key
    return key + random.choice(["=", "=", "<", ">", "~=", "~=", "!=", "<=", ">="]) + near(text)


def expression(known):
    parts = [clause(known) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    parts = [random.choice(["", "", "!", "not "]) + part for part in parts]
    text = parts[0]
    for part in parts[1:]:
        text += random.choice([" && ", " || ", " and ", " or "]) + part
    return text


def ask(text, flow):
    try:
        result = OFFilter(text).evaluate(flow)
        return "None" if result is None else str(bool(result))
    except Exception as error:
        return type(error).__name__


print(f"# capture.py, ovs.flow {version('ovs')}: dump\tline\texpression\tanswer")
known = list(flows())
pool = {index: list(clauses(flow)) for index, (_, _, flow) in enumerate(known)}
for _ in range(3000):
    index = random.randrange(len(known))
    name, number, flow = known[index]
    source = index if random.random() < 0.7 else random.randrange(len(known))
    text = expression(pool[source])
    print(name, number, text, ask(text, flow), sep="\t")
