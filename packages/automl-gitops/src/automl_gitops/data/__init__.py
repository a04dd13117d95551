"""The data set: read and checked, split once and for all, uploaded under the hash of its content."""
