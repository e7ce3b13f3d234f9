"""The pages of a comparison: this project's verdicts and figures, with pictures by Evidently."""
