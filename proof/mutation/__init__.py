"""Small mistakes, made on purpose in the limiter: the tests of `safety/` must notice every one."""
