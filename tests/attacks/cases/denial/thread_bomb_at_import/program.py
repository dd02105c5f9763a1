import threading
import time

threading.stack_size(64 << 10)  # else memory is the first limit
while True:
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
