"""The tables that come with the project, one module each; all are synthetic but iris."""
