"""What people get wrong at the controls, and what of the table or the line is not what it was taken for."""
