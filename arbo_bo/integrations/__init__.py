"""Where arbo meets other systems; each integration loads only when it is used."""
