"""Checks that answer an attempt: what is wrong, and a hint. An open stub is no mistake. A file for each lesson."""

from .hands import check_nearest, check_pointing
