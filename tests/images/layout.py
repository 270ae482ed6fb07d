#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""layout.py DIRECTORY gzip|zstd|plain TAR...: an OCI layout of one image with these layers, lowest first, and the name latest."""
import gzip, hashlib, json, os, subprocess, sys

MEDIA = {"gzip": "+gzip", "zstd": "+zstd", "plain": ""}
directory, kind, tars = sys.argv[1], sys.argv[2], sys.argv[3:]
os.makedirs(f"{directory}/blobs/sha256", exist_ok=True)


def blob(data, media):
    name = hashlib.sha256(data).hexdigest()
    with open(f"{directory}/blobs/sha256/{name}", "wb") as f:
        f.write(data)
    return {"mediaType": media, "digest": "sha256:" + name, "size": len(data)}


layers, diffs = [], []
for path in tars:
    with open(path, "rb") as f:
        data = f.read()
    diffs.append("sha256:" + hashlib.sha256(data).hexdigest())
    if kind == "gzip":
        data = gzip.compress(data, 6, mtime=0)
    elif kind == "zstd":
        data = subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    layers.append(blob(data, "application/vnd.oci.image.layer.v1.tar" + MEDIA[kind]))
arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
config = blob(json.dumps({
    "created": "2020-01-02T03:04:05.678Z", "architecture": arch, "os": "linux",
    "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"], "Labels": {"kind": kind}},
    "rootfs": {"type": "layers", "diff_ids": diffs},
    "history": [{"created": "2020-01-02T03:04:05.678Z", "created_by": f"layer {i}"} for i in range(len(tars))],
}).encode(), "application/vnd.oci.image.config.v1+json")
manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
                            "layers": layers}).encode(), "application/vnd.oci.image.manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
manifest["platform"] = {"os": "linux", "architecture": arch}
with open(f"{directory}/index.json", "w") as f:
    json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
with open(f"{directory}/oci-layout", "w") as f:
    json.dump({"imageLayoutVersion": "1.0.0"}, f)
