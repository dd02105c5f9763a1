serve(lambda operation, arguments: '{"timedelta": [99999999999, 0, 0]}')
