"""Cells that a spreadsheet would run."""

import csv
import io

import pytest

from photo_processor.results.reports import csv_of


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("  =1", "'  =1"),
        ("a.jpg;=cmd()", "a.jpg;'=cmd()"),
        ("a;\t+1", "a;'\t'+1"),
        ('a;"=1"', 'a;\'"=1"'),
        ("a\n-1", "a\n'-1"),
        ("M\u00fcller-Meier; 4b.jpg", "M\u00fcller-Meier; 4b.jpg"),
        ("a=b.jpg", "a=b.jpg"),
    ],
)
def test_cell_that_a_spreadsheet_would_run_is_defused(cell: str, written: str) -> None:
    assert next(csv.reader(io.StringIO(csv_of([["x", cell]]), newline=""))) == ["x", written]
