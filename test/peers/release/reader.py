"""Reads, judges and writes release files as doc/update.md has them, on Python and libsodium alone: nothing of this
project is in it, so that what both take and refuse is what the page says.
"""

import datetime
import hashlib
import json
import re
import struct

import nacl.exceptions
import nacl.signing

MARK = b"PWREL1\r\n"
RELEASE = b"pilotwire-release-1\n"
ROOT = b"pilotwire-root-1\n"
NAME = re.compile(r"[a-z][a-z0-9._-]{0,30}\Z")
NUMBER = r"(0|[1-9][0-9]{0,5})"
VERSION = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-([a-z]+){NUMBER}?)?\Z")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z")
ADDRESS = re.compile(r"https://[!#-\[\]-~]*\Z")
HEX64 = re.compile(r"[0-9a-f]{64}\Z")


class Refused(Exception):
    """Its only argument is the word of doc/update.md."""


def need(condition, word="malformed"):
    if not condition:
        raise Refused(word)


def plain(text):
    """JSON in the one way it can be written."""
    try:
        value = json.loads(text.decode("ascii"), parse_float=None)
    except (ValueError, RecursionError):
        raise Refused("malformed") from None
    need(json.dumps(value, separators=(",", ":")).encode() == text)
    return value


def members(value, names):
    need(isinstance(value, dict) and list(value) == names)
    return value.values()


def name(text):
    need(isinstance(text, str) and NAME.match(text))


def number(value, least, most):
    need(type(value) is int and least <= value <= most)


def moment(text):
    """Milliseconds since 1970."""
    need(isinstance(text, str) and TIME.match(text))
    try:
        time = datetime.datetime.strptime(text[:-1] + "000", "%Y-%m-%dT%H:%M:%S.%f")
    except ValueError:
        raise Refused("malformed") from None
    ms = (time - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)
    need(ms > 0)
    return ms


def order(text):
    """What versions are compared by; None: it is none."""
    found = VERSION.match(text) if isinstance(text, str) and len(text) <= 23 else None
    if found is None:
        return None
    *numbers, word, count = found.groups()
    return [int(n) for n in numbers] + [word is None, word or "", -1 if count is None else int(count)]


def manifest_of(text):
    need(1 <= len(text) <= 16384)
    value = plain(text)
    form, product, hardware, version, least, counter, expires, notes, components = members(
        value, ["format", "product", "hardware", "version", "min_from", "security_counter", "expires", "notes_url",
                "components"])
    need(form == "pilotwire-release-1")
    name(product)
    need(isinstance(hardware, list) and 1 <= len(hardware) <= 16)
    for machine in hardware:
        name(machine)
    need(len(set(hardware)) == len(hardware))
    need(order(version) is not None and (least == "" or order(least) is not None))
    number(counter, 0, 2**32 - 1)
    if expires != "":
        moment(expires)
    need(isinstance(notes, str) and (notes == "" or (len(notes) <= 199 and ADDRESS.match(notes))))
    need(isinstance(components, list) and 1 <= len(components) <= 8)
    for component in components:
        what, size, digest = members(component, ["name", "size", "sha256"])
        name(what)
        number(size, 1, 2**40)
        need(isinstance(digest, str) and HEX64.match(digest))
    names = [component["name"] for component in components]
    need(len(set(names)) == len(names) and "pilotwire-station" in names)
    return value


def keys_of(role):
    threshold, keys = members(role, ["threshold", "keys"])
    need(isinstance(keys, list) and 1 <= len(keys) <= 8)
    for key in keys:
        need(isinstance(key, str) and HEX64.match(key))
    need(keys == sorted(set(keys)))
    number(threshold, 1, len(keys))


def root_of(text):
    value = plain(text)
    form, version, expires, root, release = members(value, ["format", "version", "expires", "root", "release"])
    need(form == "pilotwire-root-1")
    number(version, 1, 1000000)
    moment(expires)
    keys_of(root)
    keys_of(release)
    return value


def signatures_of(data):
    found = [(data[at:at + 32], data[at + 32:at + 96]) for at in range(0, len(data), 96)]
    need([who for who, _ in found] == sorted({who for who, _ in found}))
    return dict(found)


def good(role, label, text, signatures):
    """Whether the threshold of a role signed it."""
    count = 0
    for key in map(bytes.fromhex, role["keys"]):
        signature = signatures.get(hashlib.sha256(key).digest())
        try:
            if signature is not None:
                nacl.signing.VerifyKey(key).verify(label + text, signature)
                count += 1
        except nacl.exceptions.BadSignatureError:
            pass
    return count >= role["threshold"]


def roots_of(data):
    """Each as (its document's bytes, what it says, its signatures)."""
    found = []
    while data:
        need(len(data) >= 5)
        (length,) = struct.unpack(">I", data[:4])
        need(1 <= length <= 4096 and len(data) >= 4 + length + 1)
        text, count = data[4:4 + length], data[4 + length]
        end = 4 + length + 1 + 96 * count
        need(count <= 16 and len(data) >= end and end <= 4096)
        found.append((text, root_of(text), signatures_of(data[4 + length + 1:end])))
        data = data[end:]
    return found


def first_root(data):
    found = roots_of(data)
    need(len(found) == 1)
    text, root, signatures = found[0]
    need(good(root["root"], ROOT, text, signatures), "unsigned")
    return root


def judge(data, root, now, counter=0, hardware=None, running=""):
    """The manifest of a whole release file; Refused."""
    need(len(data) >= 20 and data[:8] == MARK)
    r, m, s = struct.unpack(">III", data[8:20])
    need(r <= 8192 and 1 <= m <= 16384 and s <= 768 and s % 96 == 0 and len(data) >= 20 + r + m + s)
    roots = roots_of(data[20:20 + r])
    versions = [what["version"] for _, what, _ in roots]
    need(versions == list(range(versions[0], versions[0] + len(versions))) if versions else True)
    text = data[20 + r:20 + r + m]
    manifest = manifest_of(text)
    signatures = signatures_of(data[20 + r + m:20 + r + m + s])
    need(len(data) == 20 + r + m + s + sum(component["size"] for component in manifest["components"]))
    for document, following, by in roots:
        if following["version"] <= root["version"]:
            continue
        need(following["version"] == root["version"] + 1 and good(root["root"], ROOT, document, by)
             and good(following["root"], ROOT, document, by), "unsigned")
        root = following
    need(good(root["release"], RELEASE, text, signatures), "unsigned")
    need(now < moment(root["expires"]), "expired")
    need(manifest["expires"] == "" or now < moment(manifest["expires"]), "expired")
    need(hardware is None or hardware in manifest["hardware"], "foreign")
    need(manifest["security_counter"] >= counter, "downgrade")
    need(running == "" or manifest["min_from"] == "" or order(running) >= order(manifest["min_from"]), "too-far")
    need(running == "" or running != manifest["version"], "same")
    at = 20 + r + m + s
    for component in manifest["components"]:
        piece = data[at:at + component["size"]]
        need(hashlib.sha256(piece).hexdigest() == component["sha256"], "altered")
        at += component["size"]
    return manifest


def sign(seeds, label, text):
    found = {}
    for seed in seeds:
        key = nacl.signing.SigningKey(seed)
        found[hashlib.sha256(bytes(key.verify_key)).digest()] = key.sign(label + text).signature
    return b"".join(who + found[who] for who in sorted(found))


def public(seed):
    return bytes(nacl.signing.SigningKey(seed).verify_key).hex()


def write_root(value, seeds):
    text = json.dumps(value, separators=(",", ":")).encode()
    signatures = sign(seeds, ROOT, text)
    return struct.pack(">I", len(text)) + text + bytes([len(signatures) // 96]) + signatures


def write(manifest, components, seeds, roots=b""):
    """`manifest`: a dict, or bytes as they are to be signed."""
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest, separators=(",", ":")).encode()
    signatures = sign(seeds, RELEASE, text)
    return (MARK + struct.pack(">III", len(roots), len(text), len(signatures)) + roots + text + signatures
            + b"".join(components))
