"""What runs on the CI runner or a laptop: configuration, data set, pipeline definition, runs and their
status.
"""
