"""Leaks: columns that give the target away, alone, in pairs, by recurring or by their order."""
