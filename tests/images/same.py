#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""same.py A B: exits 1 with the first differences when two trees differ in names, types, modes, owners, times, attributes, links or content.
Attributes of the overlay itself are passed over."""
import hashlib, os, stat, sys


def look(root):
    found, inodes = {}, {}
    for directory, names, files in os.walk(root):
        for name in names + files + (["."] if directory == root else []):
            path = os.path.join(directory, name)
            key = os.path.relpath(path, root)
            st = os.lstat(path)
            entry = [stat.filemode(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns, st.st_rdev]
            entry.append({a: os.getxattr(path, a, follow_symlinks=False) for a in os.listxattr(path, follow_symlinks=False)
                          if not a.startswith(("trusted.overlay", "security.selinux"))})
            if stat.S_ISLNK(st.st_mode):
                entry.append(os.readlink(path))
            if stat.S_ISREG(st.st_mode):
                with open(path, "rb") as f:
                    entry.append(hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest")
                                 else hashlib.sha256(f.read()).hexdigest())
            if not stat.S_ISDIR(st.st_mode):
                entry.append(st.st_nlink)
            found[key] = entry
    return found


a, b = look(sys.argv[1]), look(sys.argv[2])
different = [k for k in sorted(set(a) | set(b)) if a.get(k) != b.get(k)]
for k in different[:10]:
    print(f"{k}:\n  {a.get(k)}\n  {b.get(k)}")
sys.exit(1 if different else 0)
