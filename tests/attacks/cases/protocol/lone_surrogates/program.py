serve(lambda operation, arguments: '"\\ud800\\udfff\\ud800"')
