STOP = '!"error": {"type": "StopIteration", "message": "", "bases": ["StopIteration"]}, "stage": "run"'
OTHER = {"next": STOP, "str": '"6"', "len": "2"}
serve(lambda operation, arguments: OTHER.get(operation, '{"handle": 123456789}'))
