"""Where solutions come from: an Acumos CDS with its Nexus, an S3 bucket, or a folder."""
