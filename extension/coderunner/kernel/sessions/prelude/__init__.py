"""What runs inside a Python kernel before the first cell: it adds what IPython and ipykernel lack.

Nothing here runs in our process. `run_prelude` sends the files to the kernel as text, so they import nothing
of ours and keep to the syntax of Python 3.9. Each file runs in a namespace of its own, in the order of
`run_prelude.ORDER`; `events` and `control` run first, and the others find their functions in their namespace.
What a kernel can be asked lies in `questions`. The prelude may be sent twice, leaves no name behind and
changes nothing that a program can see.
"""
