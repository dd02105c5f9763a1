"""The uncentred covariance of keys over a corpus of text, for MEMIT, PMET and ROME."""
