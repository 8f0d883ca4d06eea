"""A second reader of the backup repository, written from docs/reference/backup-format.md alone.

restore.py OBJECTS SOURCE TARGET <passphrase: the newest snapshot of SOURCE, from a directory with the repository's
objects by their keys. Needs python3-cryptography and, for zstd, the program zstd.
"""
import base64, hashlib, json, os, struct, subprocess, sys, zlib
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

root, source, target = sys.argv[1:4]
passphrase = sys.stdin.buffer.readline().rstrip(b"\n")


def read(key):
    with open(os.path.join(root, key), "rb") as file:
        return file.read()


def unseal(key, kind, sealed):
    info = b"bucketwright-backup-1 " + kind
    used_once = HKDF(algorithm=SHA256(), length=32, salt=sealed[:32], info=info).derive(key)
    return AESGCM(used_once).decrypt(bytes(12), sealed[32:], None)


def unpack(codec, packed, length):
    if codec == "none":
        plain = packed
    elif codec == "deflate":
        plain = zlib.decompress(packed, -15)
    else:
        plain = subprocess.run(["zstd", "-d", "-c"], input=packed, stdout=subprocess.PIPE, check=True).stdout
    assert len(plain) == length
    return plain


def open_master():
    for name in os.listdir(os.path.join(root, "keys")):
        slot = json.loads(read("keys/" + name))
        if slot["kdf"] != "scrypt":
            continue
        n, r, p = slot["n"], slot["r"], slot["p"]
        key = hashlib.scrypt(passphrase, salt=bytes.fromhex(slot["salt"]), n=n, r=r, p=p, maxmem=1 << 30, dklen=32)
        try:
            return unseal(key, b"master-key", bytes.fromhex(slot["sealed"]))
        except Exception:
            continue
    sys.exit("no slot opens")


config = json.loads(read("config"))
assert (config["format"], config["version"]) == ("bucketwright-backup", 1)
master = open_master()
folder = "sources/%s/" % source


def document(kind, key):
    line, packed = unseal(master, kind, read(key)).split(b"\n", 1)
    codec, length = line.decode().split(" ")
    return json.loads(unpack(codec, packed, int(length)))


def layer_document(ref):
    key = folder + "documents/" + ref["name"]
    assert hashlib.sha256(read(key)).hexdigest() == ref["name"]
    return document(b"layer", key)


def blob(ref):
    with open(os.path.join(root, folder + "packs/" + ref["pack"]), "rb") as file:
        file.seek(ref["offset"])
        sealed = file.read(ref["length"])
    assert sealed[-16:].hex() == ref["tag"]
    return unpack(ref["codec"], unseal(master, b"blob", sealed), ref["raw"])


def restore_environment(content):
    size = content["pageSize"]
    meta = base64.b64decode(content["meta"])
    (now, first_unallocated) = struct.unpack_from("<II", meta, 52)
    path = os.path.join(target, "mdbx.dat") if content["subdirectory"] else target
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        for ref in content["layers"]:
            for segment in layer_document(ref)["segments"]:
                pages = blob(segment["blob"])
                at = 0
                for first, count in segment["runs"]:
                    for page in range(first, first + count):
                        if page < first_unallocated:
                            file.seek(page * size)
                            file.write(pages[at : at + size])
                        at += size
        for slot in range(3):
            page = bytearray(meta.ljust(size, b"\0"))
            struct.pack_into("<I", page, 16, slot)
            if slot == content["slot"]:
                if struct.unpack_from("<Q", page, 188)[0] in (0, 1):
                    page[188:196] = b"\xff" * 8
            else:
                page[28:36] = page[196:204] = bytes(8)
            file.seek(slot * size)
            file.write(page)
        file.truncate(now * size)


def restore_tree(content):
    os.makedirs(target)
    entries = layer_document(content["tree"])["entries"]
    for entry in entries:
        path = os.path.join(target, entry["path"])
        if entry["kind"] == "directory":
            os.mkdir(path)
        elif entry["kind"] == "link":
            os.symlink(entry["target"], path)
        else:
            with open(path, "wb") as file:
                for ref in entry["blobs"]:
                    file.write(blob(ref))
            os.chmod(path, entry["mode"])


def age(name):
    order, time, _ = name.split("-")
    return int(order), -int(time)


newest = min(os.listdir(os.path.join(root, folder, "snapshots")), key=age)
snapshot = document(b"snapshot", folder + "snapshots/" + newest)
order, time, identity = newest.split("-")
assert (snapshot["version"], snapshot["source"], snapshot["id"]) == (1, source, identity)
assert (9999999999 - snapshot["sequence"], snapshot["time"]) == (int(order), int(time))
if snapshot["content"]["kind"] == "mdbx":
    restore_environment(snapshot["content"])
else:
    restore_tree(snapshot["content"])
print(snapshot["id"])
