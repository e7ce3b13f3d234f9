"""What the scripts share, in rooms; docs/ARCHITECTURE.md says what each room knows."""

from pipeline.project import processor

# here, because numpy must not be loaded before, and every room is imported through this file
processor.use_same_loops()
