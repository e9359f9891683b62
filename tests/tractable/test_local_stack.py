"""Where the processes of one computer find each other, and what happens when a place is taken."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tractable.broker.port import free_port
from tractable.local_stack import LocalStack
from tractable.settings import DASHBOARD_PORT, Settings


@pytest.fixture
def stack_with_port(tmp_path, monkeypatch):
    """A stack on a computer where the dashboard's own port is that one."""

    def make(port: int) -> LocalStack:
        monkeypatch.setattr("tractable.local_stack.DASHBOARD_PORT", port)
        return LocalStack(tmp_path, tmp_path, "nominal", "tester")

    return make


def test_the_dashboard_has_its_own_port_where_that_is_free(stack_with_port):
    port = free_port()

    assert urlsplit(stack_with_port(port).address).port == port
    assert DASHBOARD_PORT == 8642


def test_the_dashboard_takes_another_port_where_its_own_is_taken(stack_with_port, listening_port):
    stack = stack_with_port(listening_port)

    port = urlsplit(stack.address).port
    assert port != listening_port
    assert stack.environment["TRACTABLE_DASHBOARD_PORT"] == str(port)


def test_every_stack_has_a_key_of_its_own(stack_with_port):
    port = free_port()

    assert stack_with_port(port).address != stack_with_port(port).address


def test_the_environment_of_the_processes_is_settings_that_can_be_used(account, stack_with_port, monkeypatch):
    stack = stack_with_port(free_port())
    for variable, value in stack.environment.items():
        monkeypatch.setenv(variable, value)

    settings = Settings()

    assert settings.data_folder == stack.folder
    assert stack.address.endswith(str(settings.dashboard_key))


def test_a_session_s_record_is_found_by_its_id(tmp_path, stack_with_port):
    stack = stack_with_port(free_port())
    assert stack.session_file("20260101-1") is None
    record = tmp_path / "sessions" / "2026" / "20260101-1.tractable"
    record.parent.mkdir(parents=True)
    record.touch()

    found = stack.session_file("20260101-1")

    assert found == record
    assert isinstance(found, Path)
