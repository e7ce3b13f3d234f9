"""The forms of a table's file: how each is recognised, unpacked, read and respelled."""
