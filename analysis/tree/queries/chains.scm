; The links of a chain, `a.b(c)[d]`, by which a program comes from a name to an API: what the link is applied to (@inner),
; and the attribute's name or the call's arguments (@what).

((attribute
  object: (_) @inner
  attribute: (_) @what)
  (#set! is "attribute"))

((call
  function: (_) @inner
  arguments: (_) @what)
  (#set! is "call"))

((subscript
  value: (_) @inner)
  (#set! is "item"))
