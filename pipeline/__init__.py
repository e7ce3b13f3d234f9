"""What the scripts share, in rooms; docs/ARCHITECTURE.md says what each room knows."""
