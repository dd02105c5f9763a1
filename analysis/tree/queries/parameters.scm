; Parameters that have more than a name. The others are patterns: a name, `*names`, `**names`.

((typed_parameter
  . (_) @name
  type: (_) @annotation)
  (#set! is "typed"))

((default_parameter
  name: (_) @name
  value: (_) @default)
  (#set! is "default"))

((typed_default_parameter
  name: (_) @name
  type: (_) @annotation
  value: (_) @default)
  (#set! is "typed default"))
