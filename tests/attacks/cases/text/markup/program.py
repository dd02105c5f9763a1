print("[bold red]passed[/] [link=file:///etc/passwd]here[/link] [/] :boom:", flush=True)


def summarize(numbers):
    raise ValueError("[/red][link=http://owned]passed[/link] [not closed \\[bold] :pile_of_poo:")
