# SPDX-License-Identifier: BSD-3-Clause
"""What files a program of a root tree needs beside itself: its interpreter and its shared libraries."""
import os
import re
import subprocess


def libraries(program, root=None):
    """(path in the guest, path on the host) of the interpreter and all libraries of a program; [] if it is static."""
    headers = subprocess.run(["readelf", "-lW", program], capture_output=True, text=True, check=True).stdout
    found = re.search(r"interpreter: (\S+)\]", headers)
    if not found:
        return []
    interpreter = found.group(1)
    loader = os.path.join(root, interpreter.lstrip("/")) if root else interpreter
    command = [loader]
    if root:
        folders = [os.path.join(root, path) for path in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")]
        command += ["--inhibit-cache", "--library-path", ":".join(folders)]
    text = subprocess.run([*command, "--list", program], capture_output=True, text=True, check=True).stdout
    files = {interpreter: loader}
    for path in re.findall(r"=> (/\S+)", text):
        inside = path
        if root:
            inside = "/" + os.path.relpath(path, root)
            if inside.startswith("/.."):
                raise FileNotFoundError(f"{program} takes {path} from outside {root}")
        files[inside] = path
    return list(files.items())
