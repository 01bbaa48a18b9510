"""What arbo did, for people: views of a store as frozen values, and what renders them."""
