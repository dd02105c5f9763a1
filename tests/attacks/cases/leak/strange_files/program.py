import os

os.chdir(b"/tmp")
for name in (b"\xff\xfe", b"-rf", b"a\nb", b".hidden", b" ", b"x" * 255, "\u202e".encode(), b"\x1b[2J"):
    open(name, "wb").close()
os.symlink("/", "root")
os.symlink("loop", "loop")
os.link(".hidden", "twice")
os.makedirs("folder/in/folder")
open("folder/in/folder/file", "w").close()
os.symlink("/usr", "folder/in/usr")


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
