#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Unpacks Debian packages, with the libraries that they need, into a folder of their own, without installing them.

    debian_packages.py DIRECTORY [--no-dependencies] PACKAGE...

The folder then looks like a root file system, as `tutti run --root` wants it. A second call with the same packages
does nothing. Packages are fetched with apt-get and unpacked with dpkg-deb; no root is needed.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

# What dependencies bring in beside libraries is not needed to run the programs; these libraries neither.
NOT_NEEDED = re.compile(r"perl|libpam|semanage|sepol|debian-installer|newt|textwrap|elogind|-common$")
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


class FetchError(Exception):
    pass


def _call(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise FetchError(f"{' '.join(command[:6])} failed:\n{(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


def with_libraries(packages):
    """The packages and all libraries that they depend on, directly or not."""
    text = _call(["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
                  "--no-replaces", "--no-enhances", *packages])
    found = {line.strip() for line in text.splitlines() if re.match(r"[a-z]", line)}
    libraries = {name.split(":")[0] for name in found if re.match("lib|zlib1g", name) and not NOT_NEEDED.search(name)}
    return sorted(libraries | set(packages))


def depends_on(package):
    """What apt-cache says of a package's own dependencies; the package lists are fetched when there are none."""
    for attempt in range(2):
        try:
            text = _call(["apt-cache", "depends", package])
        except FetchError:
            text = ""
        if "Depends" in text or attempt:
            return text
        _update_lists()
    return ""


def _update_lists():
    """Package lists may be missing or old (a fresh container)."""
    command = ["apt-get", "update", "-q"]
    if os.getuid() != 0:
        if not shutil.which("sudo"):
            raise FetchError("The package lists are missing or old. Run as root: apt-get update")
        command.insert(0, "sudo")
    _call(command)


def _download(names, folder):
    _call(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *names], cwd=folder)


def fetch(packages, directory, dependencies=True, say=lambda text: None):
    """Makes sure that `packages` are unpacked in `directory`."""
    stamp = os.path.join(directory, ".packages")
    wanted = " ".join(sorted(packages)) + ("" if dependencies else " (alone)")
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted:
                return
    archive = directory.rstrip("/") + ".debs"
    os.makedirs(archive, exist_ok=True)
    os.makedirs(directory, exist_ok=True)
    for attempt in range(2):
        try:
            names = with_libraries(packages) if dependencies else list(packages)
            have = {name.split("_")[0] for name in os.listdir(archive) if name.endswith(".deb")}
            missing = [name for name in names if name not in have]
            if missing:
                say(f"Fetching {len(missing)} Debian packages: {' '.join(missing)}")
                _download(missing, archive)
            break
        except FetchError:
            if attempt:
                raise
            say("Updating the package lists (apt-get update)")
            _update_lists()
    # Debian's merged /usr: the old folders are links, and must be there before anything is unpacked.
    if dependencies:
        for name in MERGED:
            os.makedirs(os.path.join(directory, "usr", name), exist_ok=True)
            link = os.path.join(directory, name)
            if not os.path.lexists(link):
                os.symlink("usr/" + name, link)
    for package in sorted(os.listdir(archive)):
        if package.endswith(".deb") and package.split("_")[0] in names:
            _unpack(os.path.join(archive, package), directory)
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)


def _unpack(package, directory):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as source:
        _call(["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", directory], stdin=source.stdout)
    if source.returncode != 0:
        raise FetchError(f"dpkg-deb cannot read {package}; delete it and try again")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("package", nargs="+")
    parser.add_argument("--no-dependencies", action="store_true")
    options = parser.parse_args()
    try:
        fetch(options.package, options.directory, not options.no_dependencies, lambda text: print(text, flush=True))
    except FetchError as error:
        sys.exit(f"debian_packages: {error}")


if __name__ == "__main__":
    main()
