"""What the scripts share: a package of rooms, each with one sentence on what it knows; see docs/ARCHITECTURE.md."""
