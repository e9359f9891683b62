"""Mosquitto as our own broker: on loopback, for two accounts, with nothing kept on disk but its own configuration."""

import os
import shutil
import subprocess
from pathlib import Path

from controller.messages import TOPIC_ROOT
from tractable.broker.accounts import DASHBOARD_USER, LOOPBACK, TABLE_USER, BrokerAccounts, write_private

# Debian puts it where only root's PATH looks.
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


def find_mosquitto() -> str | None:
    """The path of mosquitto, when it and its password tool are both on this computer."""
    return _program("mosquitto") if _program("mosquitto_passwd") else None


def mosquitto_command(folder: Path, port: int, accounts: BrokerAccounts) -> list[str]:
    """Write the configuration into `folder`, private to this user, and return what starts mosquitto with it.

    Raises FileNotFoundError when mosquitto is not on this computer.
    """
    program = find_mosquitto()
    if program is None:
        raise FileNotFoundError("mosquitto is not on this computer: install it, or use the embedded broker.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_private(folder / "access", access_list(accounts))
    write_passwords(folder / "passwords", accounts)
    write_private(folder / "mosquitto.conf", configuration(folder, port))
    return [program, "-c", str(folder / "mosquitto.conf")]


def configuration(folder: Path, port: int) -> str:
    return "\n".join(
        (
            f"listener {port} {LOOPBACK}",
            # Started by root, it would become another user, who cannot read this folder.
            "user root",
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            f"acl_file {folder / 'access'}",
            "set_tcp_nodelay true",
            "persistence false",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",  # who comes, who goes, and who is not let in
            "",
        )
    )


def access_list(accounts: BrokerAccounts) -> str:
    return (
        f"user {TABLE_USER}\ntopic write {accounts.table_topics}#\n\nuser {DASHBOARD_USER}\ntopic read {TOPIC_ROOT}/#\n"
    )


def write_passwords(path: Path, accounts: BrokerAccounts) -> None:
    """mosquitto_passwd hashes the file in place: on its command line, other users could read the passwords."""
    write_private(path, "".join(f"{user}:{password}\n" for user, password in accounts.passwords.items()))
    subprocess.run(
        [_program("mosquitto_passwd") or "mosquitto_passwd", "-U", str(path)], check=True, capture_output=True
    )
    path.chmod(0o600)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS)))
