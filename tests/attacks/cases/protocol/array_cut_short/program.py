serve(lambda operation, arguments: '{"array": ["q", "00"]}')
