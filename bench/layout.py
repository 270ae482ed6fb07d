#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""layout.py TAR DIRECTORY LAYERS gzip|zstd|plain: makes an OCI layout of TAR, split into LAYERS layers of about the same size.

A hard link goes into the layer of the file it names, so that every layer stands for itself."""
import gzip, hashlib, io, json, os, subprocess, sys, tarfile

MEDIA = {"gzip": "+gzip", "zstd": "+zstd", "plain": ""}


def split(source, count, work):
    """The tars' paths. Members are copied with their headers; a layer ends when it has its share."""
    if count == 1:
        return [source]
    total, paths, where = os.path.getsize(source), [], {}
    outs = []
    for i in range(count):
        paths.append(f"{work}/part{i}.tar")
        outs.append(tarfile.open(paths[-1], "w", format=tarfile.PAX_FORMAT))
    with tarfile.open(source) as tar:
        for member in tar:
            part = where.get(member.linkname) if member.islnk() else None
            if part is None:
                part = min(member.offset * count // total, count - 1)
            where[member.name] = part
            outs[part].addfile(member, tar.extractfile(member) if member.isreg() else None)
    for out in outs:
        out.close()
    return paths


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def blob(directory, data):
    name = hashlib.sha256(data).hexdigest()
    with open(f"{directory}/blobs/sha256/{name}", "wb") as f:
        f.write(data)
    return {"digest": "sha256:" + name, "size": len(data)}


def layer(directory, path, kind):
    target = f"{directory}/new"
    program = {"gzip": ["gzip", "-n", "-c"], "zstd": ["zstd", "-q", "-c"], "plain": ["cat"]}[kind]
    with open(path, "rb") as source, open(target, "wb") as out:
        subprocess.run(program, stdin=source, stdout=out, check=True)
    name = digest(target)
    size = os.path.getsize(target)
    os.rename(target, f"{directory}/blobs/sha256/{name}")
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar" + MEDIA[kind], "digest": "sha256:" + name, "size": size}


def main():
    source, directory, count, kind = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    os.makedirs(f"{directory}/blobs/sha256")
    parts = split(source, count, directory)
    layers = [layer(directory, p, kind) for p in parts]
    config = blob(directory, json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine), "os": "linux",
        "config": {"Cmd": ["/bin/sh"]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(p) for p in parts]},
        "history": [{"created_by": "layout.py"} for _ in parts]}).encode())
    manifest = blob(directory, json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": layers}).encode())
    manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    for p in parts:
        if p != source:
            os.unlink(p)
    with open(f"{directory}/index.json", "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(f"{directory}/oci-layout", "w") as f:
        json.dump({"imageLayoutVersion": "1.0.0"}, f)


main()
