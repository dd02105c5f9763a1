"""The benchmark `numpy2`: real changes from NumPy 1.26 to NumPy 2, and problems of our own that show them."""
