; What gives names a value, beside imports, parameters and definitions: @target gets @value, or in turn what iterating
; over @values gives.

((assignment
  left: (_) @target
  right: (_) @value)
  (#set! is "assignment"))

((augmented_assignment
  left: (_) @target
  right: (_) @value)
  (#set! is "update"))

((named_expression
  name: (_) @target
  value: (_) @value)
  (#set! is "walrus"))

((for_statement
  left: (_) @target
  right: (_) @values)
  (#set! is "loop"))
