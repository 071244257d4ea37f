"""What every page uses: the shell, translation, numbers and dates, failures."""
