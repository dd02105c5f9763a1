def summarize(numbers):
    access = "user‮ ⁦# the rest is a comment⁩ ⁦"  # ‮ } ⁦if access: ⁩ ⁦
    return [access]
