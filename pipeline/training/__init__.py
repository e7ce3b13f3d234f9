"""One dataset's learning problem, its candidates, and what training and tuning keep of them."""
