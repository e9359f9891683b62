#!/bin/sh
# Installs the real parts that some tests want: mosquitto, chromium and node where that is allowed (by root, with
# apt-get), MicroPython for node and axe-core in .venv. Elsewhere it names what will be skipped. It never fails: the
# tests say what they miss.
set -u

if [ -x .venv/bin/python ]; then
    .venv/bin/python deploy/install_micropython.py ||
        echo "Test parts: MicroPython is not here; what runs the firmware with it will be skipped."
    .venv/bin/python deploy/install_axe.py ||
        echo "Test parts: axe-core is not here; the page's accessibility will not be tested."
fi

# Debian puts mosquitto where only root's PATH looks.
PATH="$PATH:/usr/sbin:/usr/local/sbin"
missing=""
{ command -v mosquitto && command -v mosquitto_passwd; } >/dev/null || missing="$missing mosquitto"
[ -x /usr/bin/chromium ] || missing="$missing chromium"
command -v node >/dev/null || missing="$missing nodejs"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Test parts:$missing not here, and only root with apt-get may install; their tests will be skipped."
    exit 0
fi

# A package's service must not start: the tests run their own. Without systemd, nothing starts anyway.
if command -v systemctl >/dev/null && [ ! -e /etc/systemd/system/mosquitto.service ]; then
    case "$missing" in *mosquitto*) systemctl mask --quiet mosquitto.service >/dev/null 2>&1 || true ;; esac
fi

echo "Test parts: installing$missing with apt-get (and no service of them is started; systemctl unmask mosquitto undoes that) ..."
log=$(mktemp)
if apt-get update -qq >"$log" 2>&1 &&
    # shellcheck disable=SC2086  # one word a package
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1; then
    :
else
    echo "Test parts: apt-get could not install$missing; their tests will be skipped. It said:"
    tail -n 3 "$log"
fi
rm -f "$log"
exit 0
