"""Video files: read as a stream, followed face by face, written again with marks."""
