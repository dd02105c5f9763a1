HOARD = bytearray(b"x") * (150 << 20)
with open("/tmp/more", "wb") as file:
    for _ in range(15):
        file.write(bytes(1 << 20))
LISTS = "[" + "[]," * 1000000 + "[]]"
serve(lambda operation, arguments: LISTS)
