"""Sessions: signed, bounded in time, and still good when the dashboard's process was started again."""

from dashboard.sign_in import SESSION_S_MAX, SignIn

KEY = "a-key-that-is-long-enough"


def test_a_session_outlives_the_process_so_that_stop_goes_on_working() -> None:
    cookie = SignIn(KEY, "clinic/2").new_cookie()

    first, again = (SignIn(KEY, "clinic/2").session(cookie) for _ in range(2))

    assert first is not None
    assert first == again


def test_another_key_ends_every_session() -> None:
    cookie = SignIn(KEY, "clinic/2").new_cookie()

    assert SignIn("another-key-long-enough", "clinic/2").session(cookie) is None


def test_a_session_ends_after_a_working_day() -> None:
    cookie = SignIn(KEY, "clinic/2", lambda: 1_000.0).new_cookie()

    assert SignIn(KEY, "clinic/2", lambda: 1_000.0 + SESSION_S_MAX).session(cookie) is not None
    assert SignIn(KEY, "clinic/2", lambda: 1_001.0 + SESSION_S_MAX).session(cookie) is None


def test_what_is_not_a_cookie_of_ours_is_no_session() -> None:
    sign_in = SignIn(KEY, "clinic/2")

    assert [sign_in.session(text) for text in (None, "", ".", "..", "a.b.c", "ü.1.2")] == [None] * 6


def test_two_tables_on_one_computer_do_not_share_a_cookie() -> None:
    assert SignIn(KEY, "clinic/1").cookie_name != SignIn(KEY, "clinic/2").cookie_name
