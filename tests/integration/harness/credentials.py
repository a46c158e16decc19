"""Tokens, and how they are mounted."""

import base64
import json
import os


def jwt(**claims):
    parts = [{"alg": "none"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, b"c2ln"]).decode()


def claims_of(authorization):
    payload = authorization.removeprefix(b"Bearer ").split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))


class Mounted:
    """A secret as the kubelet mounts it: files behind a link that is swapped as a whole."""

    def __init__(self, folder, **files):
        self.folder = folder
        folder.mkdir()
        self.turn = 0
        self.write(**files)
        for name in files:
            os.symlink(f"..data/{name}", folder / name)

    def write(self, **files):
        self.turn += 1
        data = self.folder / f"..{self.turn}"
        data.mkdir()
        for name, text in files.items():
            (data / name).write_text(text)
        os.symlink(data.name, self.folder / "..data_tmp")
        os.replace(self.folder / "..data_tmp", self.folder / "..data")
