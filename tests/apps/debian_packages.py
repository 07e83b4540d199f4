#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Unpacks Debian packages, with the libraries that they need, into a folder of their own, without installing them.

    debian_packages.py DIRECTORY [--no-dependencies] [--arch ARCH] PACKAGE...

The folder then looks like a root file system, as `tutti run --root` wants it. A second call with the same packages
does nothing. Packages are fetched with apt-get and unpacked with dpkg-deb; no root is needed. For another architecture
(Debian's name of it) package lists are kept beside the folder, so that the machine's own apt needs no second one.
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


class Apt:
    """The machine's own apt."""

    options = ()

    def update(self):
        """Package lists may be missing or old (a fresh container)."""
        command = ["apt-get", "update", "-q"]
        if os.getuid() != 0:
            if not shutil.which("sudo"):
                raise FetchError("The package lists are missing or old. Run as root: apt-get update")
            command.insert(0, "sudo")
        _call(command)


class ForeignApt(Apt):
    """One for another architecture, with lists in a folder of its own."""

    def __init__(self, folder, arch):
        self.folder = folder = os.path.abspath(folder)
        self.sources = os.path.join(folder, "sources.list")
        for name in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        self.options = ["-o", f"Dir::Etc::sourcelist={self.sources}", "-o", "Dir::Etc::sourceparts=-", "-o",
                        f"Dir::State::lists={folder}/lists", "-o", "Dir::State::status=/dev/null", "-o", f"Dir::Cache={folder}/cache",
                        "-o", f"APT::Architecture={arch}", "-o", f"APT::Architectures={arch}", "-o", "APT::Sandbox::User=",
                        "-o", "Debug::NoLocking=1"]
        if not os.path.exists(self.sources):
            mirror = _call(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm",
                            "Component: main"]).split() or ["http://deb.debian.org/debian"]
            with open(self.sources, "w", encoding="utf-8") as file:
                file.write(f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror[0]} bookworm main\n")
            self.update()

    def update(self):
        _call(["apt-get", "update", "-q", *self.options])


def with_libraries(apt, packages):
    """The packages and all libraries that they depend on, directly or not."""
    text = _call(["apt-cache", *apt.options, "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
                  "--no-replaces", "--no-enhances", *packages])
    found = {line.strip() for line in text.splitlines() if re.match(r"[a-z]", line)}
    libraries = {name.split(":")[0] for name in found if re.match("lib|zlib1g", name) and not NOT_NEEDED.search(name)}
    return sorted(libraries | set(packages))


def _apt(directory, arch):
    return ForeignApt(directory.rstrip("/") + ".apt", arch) if arch else Apt()


def depends_on(package, directory, arch=None):
    """What apt-cache says of a package's own dependencies; the package lists are fetched when there are none."""
    apt = _apt(directory, arch)
    for attempt in range(2):
        try:
            text = _call(["apt-cache", *apt.options, "depends", package])
        except FetchError:
            text = ""
        if "Depends" in text or attempt:
            return text
        apt.update()
    return ""


def _download(apt, names, folder):
    _call(["apt-get", "-q", "-o", "APT::Sandbox::User=root", *apt.options, "download", *names], cwd=folder)


def fetch(packages, directory, dependencies=True, say=lambda text: None, arch=None):
    """Makes sure that `packages` are unpacked in `directory`; those of `arch`, where it is not the machine's own."""
    stamp = os.path.join(directory, ".packages")
    wanted = " ".join(sorted(packages)) + ("" if dependencies else " (alone)")
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted:
                return
    archive = directory.rstrip("/") + ".debs"
    os.makedirs(archive, exist_ok=True)
    os.makedirs(directory, exist_ok=True)
    apt = _apt(directory, arch)
    for attempt in range(2):
        try:
            names = with_libraries(apt, packages) if dependencies else list(packages)
            have = {name.split("_")[0] for name in os.listdir(archive) if name.endswith(".deb")}
            missing = [name for name in names if name not in have]
            if missing:
                say(f"Fetching {len(missing)} Debian packages: {' '.join(missing)}")
                _download(apt, missing, archive)
            break
        except FetchError:
            if attempt:
                raise
            say("Updating the package lists (apt-get update)")
            apt.update()
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
    parser.add_argument("--arch")
    options = parser.parse_args()
    try:
        fetch(options.package, options.directory, not options.no_dependencies, lambda text: print(text, flush=True),
              options.arch)
    except FetchError as error:
        sys.exit(f"debian_packages: {error}")


if __name__ == "__main__":
    main()
