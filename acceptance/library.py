"""Python packages that a step needs: installed once beside the other tools of the cache, by the pip that is there."""
import os
import pathlib
import subprocess
import sys


def need(*packages: str, compiled: bool = False) -> pathlib.Path:
    """Makes these packages (`name==version`) importable; gives their folder. `compiled`: there is no binary of them."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / "frontdesk/tools" / "-".join([f"python{version}", *packages]).replace("==", "-")
    if not folder.exists():
        print(f"installing {' '.join(packages)} into {folder}", flush=True)
        fresh = folder.with_suffix(f".{os.getpid()}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pip += [] if compiled else ["--only-binary", ":all:"]
        subprocess.run([*pip, "--target", fresh, *packages], check=True, env=dict(os.environ, PIP_ROOT_USER_ACTION="ignore"))
        fresh.rename(folder)
    sys.path.insert(0, str(folder))
    return folder
