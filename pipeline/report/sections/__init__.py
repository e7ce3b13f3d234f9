"""The sections of the comparison page: each a module with its figures and, beside it, its piece of HTML."""
