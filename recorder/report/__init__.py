"""What was delivered, for people: the receipt (`receipt`), a note to paste (`note`), one page to print (`pdf`)."""
