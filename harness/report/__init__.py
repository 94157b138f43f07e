"""The report of a run: what a drill hands over (record), the verdict (outcome), the page, the dumps, the summary."""
