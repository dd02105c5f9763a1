"""Did an edit take? What a model does with requests before and after it: measured, in records and in words."""
