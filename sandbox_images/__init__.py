"""Images that programs are judged in."""
