"""Problems and changes that ship with edittool."""
