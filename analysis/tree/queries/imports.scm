; What an import statement brings. @path is imported, from @module where it is a member of that; it gets the name @alias,
; or that of its @first part.

((import_statement
  name: (dotted_name . (_) @first) @path)
  (#set! is "module"))

((import_statement
  name: (aliased_import
    name: (_) @path
    alias: (_) @alias))
  (#set! is "module"))

((import_from_statement
  module_name: (_) @module)
  (#set! is "source"))

((import_from_statement
  module_name: (_) @module
  (wildcard_import))
  (#set! is "star"))

((import_from_statement
  module_name: (_) @module
  name: (dotted_name) @path)
  (#set! is "member"))

((import_from_statement
  module_name: (_) @module
  name: (aliased_import
    name: (_) @path
    alias: (_) @alias))
  (#set! is "member"))
