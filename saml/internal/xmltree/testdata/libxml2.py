"""Trees by libxml2, through lxml.

Reads lines of JSON, each a string: a document, or its bytes in base64 behind
"base64:". For each it writes a line of
JSON: null if it is refused, else the root as [name, attributes, ...] where what
follows are texts and elements, and names are {namespace}local. Comments are
left out. Nothing is fetched.
"""
import base64
import json
import sys

from lxml import etree


def expanded(name):
    return name if name.startswith("{") else "{}" + name


def tree(element):
    out = [expanded(element.tag), [[expanded(name), value] for name, value in element.attrib.items()]]

    def add(text):
        if not text:
            return
        if len(out) > 2 and isinstance(out[-1], str):
            out[-1] += text
        else:
            out.append(text)

    add(element.text)
    for child in element:
        if isinstance(child.tag, str):
            out.append(tree(child))
        elif child.tag is not etree.Comment:
            out.append(["not an element"])
        add(child.tail)
    return out


# Without resolve_entities libxml2 keeps an ampersand in a namespace's name as
# "&#38;". No document here declares an entity.
parser = etree.XMLParser(resolve_entities=True, no_network=True, load_dtd=False)
for line in sys.stdin:
    doc = json.loads(line)
    if doc.startswith("base64:"):
        doc = base64.b64decode(doc.removeprefix("base64:"))
    else:
        doc = doc.encode("utf-8", "surrogateescape")
    try:
        result = tree(etree.fromstring(doc, parser))
    except etree.XMLSyntaxError:
        result = None
    sys.stdout.write(json.dumps(result) + "\n")
