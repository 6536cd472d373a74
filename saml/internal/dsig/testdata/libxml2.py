"""Exclusive canonicalisation by libxml2.

Reads lines of JSON {"doc", "apex", "except", "list"}: a document, the positions
of two elements in document order (except: -1 for none), and the words of a
PrefixList or null. For each it writes a line of JSON: the canonical form of the
subtree at apex in its document, without the subtree at except.

It calls libxml2 itself, because lxml only canonicalises whole documents: it
copies a subtree first, and then what is in scope around it is lost.
"""
import ctypes
import ctypes.util
import json
import sys

lib = ctypes.CDLL(ctypes.util.find_library("xml2") or "libxml2.so.2")
pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int


class NodeSet(ctypes.Structure):
    _fields_ = [("count", number), ("room", number), ("nodes", ctypes.POINTER(pointer))]


class XPathObject(ctypes.Structure):
    _fields_ = [("type", number), ("nodeset", ctypes.POINTER(NodeSet))]


def function(name, result, *arguments):
    f = getattr(lib, name)
    f.restype, f.argtypes = result, arguments
    return f


read = function("xmlReadMemory", pointer, text, number, text, text, number)
free_doc = function("xmlFreeDoc", None, pointer)
context = function("xmlXPathNewContext", pointer, pointer)
free_context = function("xmlXPathFreeContext", None, pointer)
evaluate = function("xmlXPathEvalExpression", ctypes.POINTER(XPathObject), text, pointer)
free_object = function("xmlXPathFreeObject", None, ctypes.POINTER(XPathObject))
unlink = function("xmlUnlinkNode", None, pointer)
free_node = function("xmlFreeNode", None, pointer)
dump = function("xmlC14NDocDumpMemory", number, pointer, ctypes.POINTER(NodeSet), number,
                ctypes.POINTER(text), number, ctypes.POINTER(pointer))
NONET, NOERROR, NOWARNING, NOENT = 2048, 32, 64, 2
EXCLUSIVE = 1


def canonical(job):
    raw = job["doc"].encode()
    doc = read(raw, len(raw), None, None, NONET | NOERROR | NOWARNING | NOENT)
    if not doc:
        return None
    ctx = context(doc)
    apex = "(//*)[%d]" % (job["apex"] + 1)
    if job["except"] >= 0:
        found = evaluate(b"(//*)[%d]" % (job["except"] + 1), ctx)
        node = found.contents.nodeset.contents.nodes[0]
        free_object(found)
        unlink(node)
        free_node(node)
    nodes = evaluate("{0}/descendant-or-self::node() | {0}/descendant-or-self::*/@* | {0}/descendant-or-self::*/namespace::*"
                     .format(apex).encode(), ctx)
    words = job["list"]
    prefixes = None
    if words is not None:
        prefixes = (text * (len(words) + 1))(*[w.encode() for w in words], None)
    out = pointer()
    size = dump(doc, nodes.contents.nodeset, EXCLUSIVE, prefixes, 0, ctypes.byref(out))
    result = ctypes.string_at(out, size).decode() if size >= 0 else None
    free_object(nodes)
    free_context(ctx)
    free_doc(doc)
    return result


for line in sys.stdin:
    sys.stdout.write(json.dumps(canonical(json.loads(line))) + "\n")
