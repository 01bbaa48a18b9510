"""Where recorded runs come from: tables of measured runs, and an arbo store."""
