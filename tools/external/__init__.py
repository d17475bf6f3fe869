"""Test suites of other projects, fetched, built and aimed at one broker."""
