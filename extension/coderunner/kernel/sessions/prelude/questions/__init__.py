"""What a kernel can be asked: a file for each kind of question, registered in `run_prelude.QUESTIONS`.

As all of the prelude they run in the kernel, keep to the syntax of Python 3.9, and import nothing of ours:
`question` and `Refused` of `control` are in their namespace. A question changes nothing that a
program can see, and runs no code of the types that a person has defined.
"""
