"""`python -m connstat_sql` is `connstat`."""

from connstat_sql.cli import main

main()
