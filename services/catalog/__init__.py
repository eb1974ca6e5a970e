"""The catalog: a persistence service and a page for people without a marketplace."""
